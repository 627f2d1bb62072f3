// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Token} from "sniper_cli/demo/contracts/Token.sol";

// Beyond the thirty kinds: traps that look at what a careless simulation gets wrong, or spring late, and honest tokens
// with habits that a careless reader of ERC-20 does not expect.

/// Sells work for the absurdly rich, as simulated buyers with an overridden balance often are.
contract SimAwareRich is Token {
    constructor(string memory name_, string memory symbol_, uint256 supply) Token(name_, symbol_, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        if (_isSell(from, to)) require(tx.origin.balance > 10_000_000 ether, "paused");
        _move(from, to, amount);
    }
}

/// Sells work in a block without randomness, which only a simulation has.
contract SimAwareRandom is Token {
    constructor(string memory name_, string memory symbol_, uint256 supply) Token(name_, symbol_, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        if (_isSell(from, to)) require(block.prevrandao == 0, "paused");
        _move(from, to, amount);
    }
}

/// Sells work in a block with an absurd gas limit, as simulations without a limit have.
contract SimAwareGasLimit is Token {
    constructor(string memory name_, string memory symbol_, uint256 supply) Token(name_, symbol_, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        if (_isSell(from, to)) require(block.gaslimit > 1_000_000_000, "paused");
        _move(from, to, amount);
    }
}

/// The blacklisting takes effect ten blocks after the purchase.
contract DelayedBlacklist is Token {
    mapping(address => uint256) private _boughtAt;

    constructor(string memory name_, string memory symbol_, uint256 supply) Token(name_, symbol_, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        if (_isBuy(from, to)) _boughtAt[to] = block.number;
        if (_isSell(from, to)) require(block.number <= _boughtAt[from] + 10, "bot");
        _move(from, to, amount);
    }
}

/// Who bought can sell at a profit only: never before the pool holds half as much again as at the listing.
contract ProfitOnly is Token {
    uint256 private _floor;

    constructor(string memory name_, string memory symbol_, uint256 supply) Token(name_, symbol_, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        if (_isListing(from, to)) _floor = amount / 2;
        // Coins come in as tokens go out: half the tokens left means twice the coins.
        if (_isSell(from, to)) require(balanceOf[pair] < _floor, "too early");
        _move(from, to, amount);
    }
}

/// Shows a buyer a hundred times what he got.
contract LyingBalance {
    mapping(address => uint256) private _held;
    mapping(address => mapping(address => uint256)) public allowance;
    string public name;
    string public symbol;
    uint8 public constant decimals = 18;
    uint256 public totalSupply;
    address public owner;
    address public pair;

    event Transfer(address indexed from, address indexed to, uint256 value);

    constructor(string memory name_, string memory symbol_, uint256 supply) {
        (name, symbol, totalSupply, owner) = (name_, symbol_, supply, msg.sender);
        _held[msg.sender] = supply;
    }

    function setPair(address pair_) external {
        require(msg.sender == owner);
        pair = pair_;
    }

    function balanceOf(address holder) external view returns (uint256) {
        return holder == owner || holder == pair ? _held[holder] : _held[holder] * 100;
    }

    function approve(address spender, uint256 amount) external returns (bool) {
        allowance[msg.sender][spender] = amount;
        return true;
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        return _move(msg.sender, to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        allowance[from][msg.sender] -= amount;
        return _move(from, to, amount);
    }

    /// Every holder but the owner and the pool receives a hundredth, and sees it as the whole.
    function _move(address from, address to, uint256 amount) private returns (bool) {
        uint256 given = from == owner || from == pair ? amount : amount / 100;
        uint256 received = to == owner || to == pair ? given : amount / 100;
        _held[from] -= given;
        _held[to] += received;
        emit Transfer(from, to, amount);
        return true;
    }
}

/// Balances melt by a tenth each block: what is sold is what was held, and worth ever less.
contract Melting {
    mapping(address => uint256) private _held;
    mapping(address => uint256) private _since;
    mapping(address => mapping(address => uint256)) public allowance;
    string public name;
    string public symbol;
    uint8 public constant decimals = 18;
    uint256 public totalSupply;
    address public owner;
    address public pair;

    event Transfer(address indexed from, address indexed to, uint256 value);

    constructor(string memory name_, string memory symbol_, uint256 supply) {
        (name, symbol, totalSupply, owner) = (name_, symbol_, supply, msg.sender);
        _held[msg.sender] = supply;
    }

    function setPair(address pair_) external {
        require(msg.sender == owner);
        pair = pair_;
    }

    function balanceOf(address holder) public view returns (uint256 held) {
        held = _held[holder];
        if (holder == owner || holder == pair || _since[holder] == 0) return held;
        uint256 blocks = block.number - _since[holder];
        for (uint256 i = 0; i < blocks && i < 100; ++i) held = held * 9 / 10;
    }

    function approve(address spender, uint256 amount) external returns (bool) {
        allowance[msg.sender][spender] = amount;
        return true;
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        return _move(msg.sender, to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        allowance[from][msg.sender] -= amount;
        return _move(from, to, amount);
    }

    function _move(address from, address to, uint256 amount) private returns (bool) {
        (_held[from], _since[from]) = (balanceOf(from) - amount, block.number);
        (_held[to], _since[to]) = (balanceOf(to) + amount, block.number);
        emit Transfer(from, to, amount);
        return true;
    }
}

/// Honest and old: transfers return nothing, the name is bytes32, there are six decimals.
contract OldStyle {
    bytes32 public name;
    bytes32 public symbol;
    uint8 public constant decimals = 6;
    uint256 public totalSupply;
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;

    event Transfer(address indexed from, address indexed to, uint256 value);

    constructor(string memory name_, string memory symbol_, uint256 supply) {
        (name, symbol, totalSupply) = (bytes32(bytes(name_)), bytes32(bytes(symbol_)), supply);
        balanceOf[msg.sender] = supply;
    }

    function approve(address spender, uint256 amount) external {
        allowance[msg.sender][spender] = amount;
    }

    function transfer(address to, uint256 amount) external {
        _move(msg.sender, to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) external {
        allowance[from][msg.sender] -= amount;
        _move(from, to, amount);
    }

    function _move(address from, address to, uint256 amount) private {
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
        emit Transfer(from, to, amount);
    }
}

/// Honest and nameless: there is no name, no symbol and no word on decimals.
contract Nameless {
    uint256 public totalSupply;
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;

    event Transfer(address indexed from, address indexed to, uint256 value);

    constructor(string memory, string memory, uint256 supply) {
        balanceOf[msg.sender] = totalSupply = supply;
    }

    function approve(address spender, uint256 amount) external returns (bool) {
        allowance[msg.sender][spender] = amount;
        return true;
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        return _move(msg.sender, to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        allowance[from][msg.sender] -= amount;
        return _move(from, to, amount);
    }

    function _move(address from, address to, uint256 amount) private returns (bool) {
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
        emit Transfer(from, to, amount);
        return true;
    }
}
