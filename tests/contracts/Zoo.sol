// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Token, Taxed} from "sniper_cli/demo/contracts/Token.sol";
// The kinds that the demo shows as well.
import {NotOpen} from "sniper_cli/demo/contracts/Token.sol";
import "sniper_cli/demo/contracts/Traps.sol";

// The further kinds that a judgement of safety must tell apart: honest tokens with powers or habits that look
// suspicious, and traps that the demo leaves out. Every one is listed, judged and really traded in the tests.

contract Normal is Token {
    constructor(string memory name_, string memory symbol_, uint256 supply) Token(name_, symbol_, supply) {}
}

contract NormalRenounced is Token {
    constructor(string memory name_, string memory symbol_, uint256 supply) Token(name_, symbol_, supply) {
        owner = address(0);
    }
}

/// 5 % of every transfer, wallet to wallet as well.
contract Fot5 is Token {
    constructor(string memory name_, string memory symbol_, uint256 supply) Token(name_, symbol_, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        _moveTaxed(from, to, amount, from == owner ? 0 : 500);
    }
}

/// 3 % to buy, 7 % to sell; the owner may set any tax.
contract BuySellTax is Taxed {
    constructor(string memory name_, string memory symbol_, uint256 supply)
        Taxed(name_, symbol_, supply, 300, 700)
    {}

    function setTaxes(uint256 buy, uint256 sell) external onlyOwner {
        buyTax = buy;
        sellTax = sell;
    }
}

/// 2 % each way; the owner may raise it to 5 % and no further.
contract CappedTax is Taxed {
    constructor(string memory name_, string memory symbol_, uint256 supply)
        Taxed(name_, symbol_, supply, 200, 200)
    {}

    function setTaxes(uint256 buy, uint256 sell) external onlyOwner {
        require(buy <= 500 && sell <= 500, "above the cap");
        buyTax = buy;
        sellTax = sell;
    }
}

contract OwnerBlacklist is Token {
    mapping(address => bool) public blacklisted;

    constructor(string memory name_, string memory symbol_, uint256 supply) Token(name_, symbol_, supply) {}

    function blacklist(address holder, bool yes) external onlyOwner {
        blacklisted[holder] = yes;
    }

    function _transfer(address from, address to, uint256 amount) internal override {
        require(!blacklisted[from], "blacklisted");
        _move(from, to, amount);
    }
}

/// Nobody sells before the owner says so.
contract SellFlag is Token {
    bool public sellEnabled;

    constructor(string memory name_, string memory symbol_, uint256 supply) Token(name_, symbol_, supply) {}

    function enableSell(bool yes) external onlyOwner {
        sellEnabled = yes;
    }

    function _transfer(address from, address to, uint256 amount) internal override {
        if (_isSell(from, to)) require(sellEnabled, "sell disabled");
        _move(from, to, amount);
    }
}

contract Mintable is Token {
    constructor(string memory name_, string memory symbol_, uint256 supply) Token(name_, symbol_, supply) {}

    function mint(address to, uint256 amount) external onlyOwner {
        _mint(to, amount);
    }
}

contract Pausable is Token {
    bool public paused;

    constructor(string memory name_, string memory symbol_, uint256 supply) Token(name_, symbol_, supply) {}

    function setPaused(bool yes) external onlyOwner {
        paused = yes;
    }

    function _transfer(address from, address to, uint256 amount) internal override {
        require(!paused || from == owner, "paused");
        _move(from, to, amount);
    }
}

/// No wallet may come to hold more than 2 % of the supply.
contract MaxTx is Token {
    uint256 public maxWallet;

    constructor(string memory name_, string memory symbol_, uint256 supply) Token(name_, symbol_, supply) {
        maxWallet = supply / 50;
    }

    function setLimits(uint256 wallet) external onlyOwner {
        maxWallet = wallet;
    }

    function _transfer(address from, address to, uint256 amount) internal override {
        _move(from, to, amount);
        if (_isBuy(from, to)) require(balanceOf[to] <= maxWallet, "max wallet");
    }
}

/// Says that it has no owner; an address it does not show can set the sell tax.
contract HiddenOwner is Token {
    address private _keeper;
    uint256 private _rate;

    constructor(string memory name_, string memory symbol_, uint256 supply) Token(name_, symbol_, supply) {
        _keeper = msg.sender;
        owner = address(0);
        emit OwnershipTransferred(msg.sender, address(0));
    }

    function initPair(address pair_) external {
        require(msg.sender == _keeper && pair == address(0));
        pair = pair_;
    }

    function f_9a(uint256 rate) external {
        require(msg.sender == _keeper);
        _rate = rate;
    }

    function _transfer(address from, address to, uint256 amount) internal override {
        _moveTaxed(from, to, amount, to == pair && from != _keeper ? _rate : 0);
    }
}

/// 2 % that becomes 99 % five minutes after the listing.
contract TaxFlipTime is Token {
    uint256 public listedAt;

    constructor(string memory name_, string memory symbol_, uint256 supply) Token(name_, symbol_, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        if (listedAt == 0 && _isListing(from, to)) listedAt = block.timestamp;
        uint256 bps = block.timestamp > listedAt + 300 ? 9_900 : 200;
        _moveTaxed(from, to, amount, _isSell(from, to) ? bps : 0);
    }
}

/// 90 % to sell in the first twenty blocks, then nothing: against snipers, and honest to those who wait.
contract LaunchTax is Token {
    uint256 public listedAt;

    constructor(string memory name_, string memory symbol_, uint256 supply) Token(name_, symbol_, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        if (listedAt == 0 && _isListing(from, to)) listedAt = block.number;
        _moveTaxed(from, to, amount, _isSell(from, to) && block.number <= listedAt + 20 ? 9_000 : 0);
    }
}

/// Who bought may sell from the second block after on.
contract Cooldown is Token {
    mapping(address => uint256) public boughtAt;

    constructor(string memory name_, string memory symbol_, uint256 supply) Token(name_, symbol_, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        if (_isBuy(from, to)) boughtAt[to] = block.number;
        if (_isSell(from, to)) require(block.number >= boughtAt[from] + 2, "cooldown");
        _move(from, to, amount);
    }
}

/// Only people buy: no contract receives, and the buyer is who signed.
contract NoContract is Token {
    constructor(string memory name_, string memory symbol_, uint256 supply) Token(name_, symbol_, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        if (_isBuy(from, to)) require(to.code.length == 0 && to == tx.origin, "no contracts");
        if (_isSell(from, to)) require(from == tx.origin, "no contracts");
        _move(from, to, amount);
    }
}

/// Trades like any other; the owner can burn anybody's balance.
contract BalanceBurn is Token {
    constructor(string memory name_, string memory symbol_, uint256 supply) Token(name_, symbol_, supply) {}

    function burnFrom2(address holder, uint256 amount) external onlyOwner {
        balanceOf[holder] -= amount;
        totalSupply -= amount;
        emit Transfer(holder, address(0), amount);
    }
}

/// Has no owner; minters are a role.
contract RoleMint is Token {
    bytes32 public constant MINTER_ROLE = keccak256("MINTER_ROLE");
    mapping(bytes32 => mapping(address => bool)) public hasRole;

    event RoleGranted(bytes32 indexed role, address indexed account, address indexed sender);

    constructor(string memory name_, string memory symbol_, uint256 supply) Token(name_, symbol_, supply) {
        hasRole[MINTER_ROLE][msg.sender] = true;
        emit RoleGranted(MINTER_ROLE, msg.sender, msg.sender);
        owner = address(0);
    }

    function mint(address to, uint256 amount) external {
        require(hasRole[MINTER_ROLE][msg.sender], "not a minter");
        _mint(to, amount);
    }
}

/// What the proxy below runs.
contract Implementation is Token {
    constructor() Token("", "", 0) {}

    function initialize(string memory name_, string memory symbol_, uint256 supply) external {
        require(owner == address(0), "initialised");
        _initialise(name_, symbol_, supply);
    }
}

/// An ERC-1967 proxy whose admin may put any other code behind it.
contract Proxy1967 {
    // keccak256("eip1967.proxy.implementation") - 1 and keccak256("eip1967.proxy.admin") - 1
    bytes32 private constant IMPLEMENTATION = 0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc;
    bytes32 private constant ADMIN = 0xb53127684a568b3173ae13b9f8a6016e243e63b6e8ee1178d6a717850b5d6103;

    event Upgraded(address indexed implementation);

    constructor(string memory name_, string memory symbol_, uint256 supply) {
        address code = address(new Implementation());
        _put(IMPLEMENTATION, code);
        _put(ADMIN, msg.sender);
        (bool done,) = code.delegatecall(abi.encodeCall(Implementation.initialize, (name_, symbol_, supply)));
        require(done);
        emit Upgraded(code);
    }

    function upgradeTo(address code) external {
        require(msg.sender == _get(ADMIN), "not admin");
        _put(IMPLEMENTATION, code);
        emit Upgraded(code);
    }

    fallback() external {
        address code = _get(IMPLEMENTATION);
        assembly {
            calldatacopy(0, 0, calldatasize())
            let done := delegatecall(gas(), code, 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            switch done
            case 0 { revert(0, returndatasize()) }
            default { return(0, returndatasize()) }
        }
    }

    function _get(bytes32 slot) private view returns (address value) {
        assembly {
            value := sload(slot)
        }
    }

    function _put(bytes32 slot, address value) private {
        assembly {
            sstore(slot, value)
        }
    }
}
