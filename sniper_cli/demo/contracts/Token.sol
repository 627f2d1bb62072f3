// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// An ordinary ERC-20 on which the others are built: the whole supply goes to its deployer.
/// What a kind does differently it does in `_transfer`; the owner is always exempt, so that he can list it.
contract Token {
    string public name;
    string public symbol;
    uint8 public constant decimals = 18;
    uint256 public totalSupply;
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;
    address public owner;
    address public pair;

    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);
    event OwnershipTransferred(address indexed from, address indexed to);

    modifier onlyOwner() {
        require(msg.sender == owner, "not owner");
        _;
    }

    constructor(string memory name_, string memory symbol_, uint256 supply) {
        _initialise(name_, symbol_, supply);
    }

    function _initialise(string memory name_, string memory symbol_, uint256 supply) internal {
        name = name_;
        symbol = symbol_;
        owner = msg.sender;
        _mint(msg.sender, supply);
        emit OwnershipTransferred(address(0), msg.sender);
    }

    function setPair(address pair_) external onlyOwner {
        pair = pair_;
    }

    function renounceOwnership() external onlyOwner {
        emit OwnershipTransferred(owner, address(0));
        owner = address(0);
    }

    function approve(address spender, uint256 amount) public virtual returns (bool) {
        allowance[msg.sender][spender] = amount;
        emit Approval(msg.sender, spender, amount);
        return true;
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        _transfer(msg.sender, to, amount);
        return true;
    }

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        uint256 allowed = allowance[from][msg.sender];
        if (allowed != type(uint256).max) allowance[from][msg.sender] = allowed - amount;
        _transfer(from, to, amount);
        return true;
    }

    function _transfer(address from, address to, uint256 amount) internal virtual {
        _move(from, to, amount);
    }

    function _isBuy(address from, address to) internal view returns (bool) {
        return from == pair && to != owner;
    }

    function _isSell(address from, address to) internal view returns (bool) {
        return to == pair && from != owner;
    }

    function _isListing(address from, address to) internal view returns (bool) {
        return from == owner && to == pair;
    }

    function _move(address from, address to, uint256 amount) internal {
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
        emit Transfer(from, to, amount);
    }

    /// Moves what is left after a tax in basis points, which goes to the token itself.
    function _moveTaxed(address from, address to, uint256 amount, uint256 bps) internal {
        uint256 tax = amount * bps / 10_000;
        if (tax != 0) _move(from, address(this), tax);
        _move(from, to, amount - tax);
    }

    function _mint(address to, uint256 amount) internal {
        totalSupply += amount;
        balanceOf[to] += amount;
        emit Transfer(address(0), to, amount);
    }
}

/// Honest, but each buy and each sell costs its holder a tax.
contract Taxed is Token {
    uint256 public buyTax;
    uint256 public sellTax;

    constructor(string memory name_, string memory symbol_, uint256 supply, uint256 buyTax_, uint256 sellTax_)
        Token(name_, symbol_, supply)
    {
        buyTax = buyTax_;
        sellTax = sellTax_;
    }

    function _transfer(address from, address to, uint256 amount) internal override {
        uint256 bps = _isBuy(from, to) ? buyTax : _isSell(from, to) ? sellTax : 0;
        _moveTaxed(from, to, amount, bps);
    }
}

/// Honest, but nobody can buy before the owner opens it for trading.
contract NotOpen is Token {
    bool public open;

    constructor(string memory name_, string memory symbol_, uint256 supply) Token(name_, symbol_, supply) {}

    function openTrading() external onlyOwner {
        open = true;
    }

    function _transfer(address from, address to, uint256 amount) internal override {
        if (_isBuy(from, to)) require(open, "trading not open");
        _move(from, to, amount);
    }
}
