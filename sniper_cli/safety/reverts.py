"""Why a simulated call failed, in words."""

from __future__ import annotations

from sniper_cli.safety.untrusted import REASON_LENGTH, plain, string_in

ERROR = bytes.fromhex("08c379a0")
"""Error(string), what require() and revert("…") answer with."""
PANIC = bytes.fromhex("4e487b71")
PANICS = {
    0x01: "a failed assertion",
    0x11: "an arithmetic overflow",
    0x12: "a division by zero",
    0x21: "a bad enumeration value",
    0x31: "a pop from an empty array",
    0x32: "an index out of range",
    0x41: "too much memory",
    0x51: "a call of an unset function",
}
KNOWN = {
    bytes.fromhex("e450d38c"): "ERC20InsufficientBalance",
    bytes.fromhex("fb8f41b2"): "ERC20InsufficientAllowance",
    bytes.fromhex("96c6fd1e"): "ERC20InvalidSender",
    bytes.fromhex("ec442f05"): "ERC20InvalidReceiver",
    bytes.fromhex("118cdaa7"): "OwnableUnauthorizedAccount",
    bytes.fromhex("d93c0665"): "EnforcedPause",
    bytes.fromhex("be8b8507"): "SwapAmountCannotBeZero",
    bytes.fromhex("5212cba1"): "CurrencyNotSettled",
    bytes.fromhex("8b063d73"): "V4TooLittleReceived",
}
"""Custom errors that stop a trade, by selector: OpenZeppelin's (ERC-6093, Ownable, Pausable), and those of v4's manager
and router where nothing or too little arrived.
"""

OUT_OF_GAS = "out of gas"
SILENT = "revert without a reason"
NEARLY_ALL = 96
"""A call that spent this percentage of its gas limit ran out of it, whatever the router says then: each caller on the
way keeps 1/64 back (EIP-150)."""


def revert_reason(data: bytes, *, gas_used: int, gas_limit: int) -> str:
    """`revert 'trading paused'`, `out of gas`, `panic: an arithmetic overflow` …"""
    if gas_used * 100 >= gas_limit * NEARLY_ALL:
        return OUT_OF_GAS
    selector = data[:4]
    if selector == ERROR:
        words = string_in(data[4:])
        if words is not None:
            return f"revert '{plain(words.decode('utf-8', 'replace'), REASON_LENGTH)}'"
    if selector == PANIC and len(data) >= 36:
        code = int.from_bytes(data[4:36])
        return f"panic: {PANICS.get(code, f'code {code}')}" if code < 256 else "panic"
    if selector in KNOWN:
        return f"revert {KNOWN[selector]}"
    if len(selector) == 4:
        return f"revert with error 0x{selector.hex()}"
    return SILENT
