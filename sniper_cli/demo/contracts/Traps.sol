// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Token} from "./Token.sol";

// Tokens that can be bought and not, or not for their worth, be sold again. Each is a trick met on real chains.

/// A tax of 99 % on every sell.
contract Sell99 is Token {
    constructor(string memory name_, string memory symbol_, uint256 supply) Token(name_, symbol_, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        _moveTaxed(from, to, amount, _isSell(from, to) ? 9_900 : 0);
    }
}

/// Whoever buys stands on the blacklist with the same transaction.
contract AutoBlacklist is Token {
    mapping(address => bool) public isBot;

    constructor(string memory name_, string memory symbol_, uint256 supply) Token(name_, symbol_, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        require(!isBot[from], "bot");
        if (_isBuy(from, to)) isBot[to] = true;
        _move(from, to, amount);
    }
}

/// Only the owner's friends may sell.
contract WhitelistSell is Token {
    mapping(address => bool) public allowed;

    constructor(string memory name_, string memory symbol_, uint256 supply) Token(name_, symbol_, supply) {}

    function allow(address holder, bool yes) external onlyOwner {
        allowed[holder] = yes;
    }

    function _transfer(address from, address to, uint256 amount) internal override {
        if (_isSell(from, to)) require(allowed[from], "not allowed");
        _move(from, to, amount);
    }
}

/// A harmless 2 % that becomes 99 % twenty blocks after the listing: a check at the launch finds nothing.
contract TaxFlip is Token {
    uint256 public listedAt;

    constructor(string memory name_, string memory symbol_, uint256 supply) Token(name_, symbol_, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        if (listedAt == 0 && _isListing(from, to)) listedAt = block.number;
        uint256 bps = block.number > listedAt + 20 ? 9_900 : 200;
        _moveTaxed(from, to, amount, _isSell(from, to) ? bps : 0);
    }
}

/// Sells work where gas costs nothing, which is only so in a simulation without fees.
contract SimAwareGas is Token {
    constructor(string memory name_, string memory symbol_, uint256 supply) Token(name_, symbol_, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        if (_isSell(from, to)) require(tx.gasprice == 0 || block.basefee == 0, "paused");
        _move(from, to, amount);
    }
}

/// Sells work in a block that nobody proposed, which is only so in a simulation without a full block context.
contract SimAwareCoinbase is Token {
    constructor(string memory name_, string memory symbol_, uint256 supply) Token(name_, symbol_, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        if (_isSell(from, to)) require(block.coinbase == address(0), "paused");
        _move(from, to, amount);
    }
}

/// A sell says that it moved the tokens and moves none: the pool refuses to pay for nothing.
contract FakeTransfer is Token {
    constructor(string memory name_, string memory symbol_, uint256 supply) Token(name_, symbol_, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        if (_isSell(from, to)) emit Transfer(from, to, amount);
        else _move(from, to, amount);
    }
}

/// More than half of what one holds can never be sold at once: the last half stays for ever.
contract PartialSell is Token {
    constructor(string memory name_, string memory symbol_, uint256 supply) Token(name_, symbol_, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        if (_isSell(from, to)) require(amount <= balanceOf[from] / 2, "too much");
        _move(from, to, amount);
    }
}

/// The first sell ever works, and is bait; no other does.
contract SecondSell is Token {
    uint256 public sells;

    constructor(string memory name_, string memory symbol_, uint256 supply) Token(name_, symbol_, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        if (_isSell(from, to)) require(++sells == 1, "paused");
        _move(from, to, amount);
    }
}

/// Sells above a ten-thousandth of the supply are refused: nobody gets out with more than dust.
contract DustSells is Token {
    constructor(string memory name_, string memory symbol_, uint256 supply) Token(name_, symbol_, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        if (_isSell(from, to)) require(amount <= totalSupply / 10_000, "max transaction");
        _move(from, to, amount);
    }
}

/// A sell fills 250 fresh storage slots: 5.7 million gas, more than most positions are worth.
contract GasGrief is Token {
    mapping(uint256 => uint256) private _log;
    uint256 private _length;

    constructor(string memory name_, string memory symbol_, uint256 supply) Token(name_, symbol_, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        if (_isSell(from, to)) {
            uint256 end = _length + 250;
            for (uint256 i = _length; i < end; ++i) _log[i] = amount;
            _length = end;
        }
        _move(from, to, amount);
    }
}

/// An approval is answered with success and stands at nothing, so the router can never collect.
contract ApproveTrap is Token {
    constructor(string memory name_, string memory symbol_, uint256 supply) Token(name_, symbol_, supply) {}

    function approve(address spender, uint256 amount) public override returns (bool) {
        if (msg.sender == owner) return super.approve(spender, amount);
        emit Approval(msg.sender, spender, amount);
        return true;
    }
}
