// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Token} from "../../sniper_cli/demo/contracts/Token.sol";

// Honest tokens with what honest authors write: reflections, permits, limits for the first blocks, few decimals,
// votes, snapshots, proxies, a raffle. A judge that refuses them is of no use.

interface IRouting {
    function WETH() external view returns (address);
    function swapExactTokensForETHSupportingFeeOnTransferTokens(
        uint256, uint256, address[] calldata, address, uint256
    ) external;
}

/// 2 % of each trade for all holders, by a rate (the scheme of RFI and SafeMoon).
contract Reflection {
    string public name;
    string public symbol;
    uint8 public constant decimals = 9;
    uint256 public immutable totalSupply;
    address public owner;
    address public pair;
    uint256 private _reflected;
    mapping(address => uint256) private _shares;
    mapping(address => uint256) private _exact;
    mapping(address => bool) private _excluded;
    mapping(address => mapping(address => uint256)) public allowance;

    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);

    constructor(string memory n, string memory s, uint256 supply) {
        (name, symbol, totalSupply, owner) = (n, s, supply, msg.sender);
        _reflected = type(uint256).max - (type(uint256).max % supply);
        _shares[msg.sender] = _reflected;
    }

    function setPair(address pair_) external {
        require(msg.sender == owner);
        pair = pair_;
        _excluded[pair_] = true;
    }

    function _rate() private view returns (uint256) {
        uint256 kept = _exact[pair];
        return (_reflected - _shares[pair]) / (totalSupply - kept);
    }

    function balanceOf(address holder) public view returns (uint256) {
        return _excluded[holder] ? _exact[holder] : _shares[holder] / _rate();
    }

    function approve(address spender, uint256 amount) external returns (bool) {
        allowance[msg.sender][spender] = amount;
        emit Approval(msg.sender, spender, amount);
        return true;
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        _transfer(msg.sender, to, amount);
        return true;
    }

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        allowance[from][msg.sender] -= amount;
        _transfer(from, to, amount);
        return true;
    }

    function _transfer(address from, address to, uint256 amount) private {
        uint256 rate = _rate();
        uint256 fee = from == owner || (from != pair && to != pair) ? 0 : amount / 50;
        _shares[from] -= amount * rate;
        if (_excluded[from]) _exact[from] -= amount;
        _shares[to] += (amount - fee) * rate;
        if (_excluded[to]) _exact[to] += amount - fee;
        _reflected -= fee * rate;
        emit Transfer(from, to, amount - fee);
    }
}

/// 3 % each way, sold for coins in the middle of somebody's sale, a bounded part at a time.
contract SwapBack3 is Token {
    bool private _inside;
    IRouting private _router;

    constructor(string memory n, string memory s, uint256 supply, uint256 router_) Token(n, s, supply) {
        _router = IRouting(address(uint160(router_)));
    }

    receive() external payable {}

    function _transfer(address from, address to, uint256 amount) internal override {
        uint256 collected = balanceOf[address(this)];
        if (!_inside && _isSell(from, to) && collected > totalSupply / 5_000) {
            _inside = true;
            if (collected > totalSupply / 200) collected = totalSupply / 200;
            allowance[address(this)][address(_router)] = collected;
            address[] memory path = new address[](2);
            (path[0], path[1]) = (address(this), _router.WETH());
            _router.swapExactTokensForETHSupportingFeeOnTransferTokens(
                collected, 0, path, address(this), block.timestamp
            );
            _inside = false;
        }
        bool trade = !_inside && (_isBuy(from, to) || _isSell(from, to));
        _moveTaxed(from, to, amount, trade ? 300 : 0);
    }
}

/// ERC-2612 beside the ordinary approval.
contract Permitted is Token {
    mapping(address => uint256) public nonces;

    constructor(string memory n, string memory s, uint256 supply) Token(n, s, supply) {}

    function DOMAIN_SEPARATOR() public view returns (bytes32) {
        return keccak256(abi.encode(keccak256("EIP712Domain(uint256 chainId,address verifyingContract)"), block.chainid, this));
    }

    function permit(address from, address spender, uint256 value, uint256 until, uint8 v, bytes32 r, bytes32 s_) external {
        require(block.timestamp <= until, "expired");
        bytes32 what = keccak256(
            abi.encode(
                keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"),
                from, spender, value, nonces[from]++, until
            )
        );
        address signer = ecrecover(keccak256(abi.encodePacked("\x19\x01", DOMAIN_SEPARATOR(), what)), v, r, s_);
        require(signer != address(0) && signer == from, "bad signature");
        allowance[from][spender] = value;
        emit Approval(from, spender, value);
    }
}

/// No wallet above 2 % of the supply, no sale above 1 %.
contract Limited is Token {
    constructor(string memory n, string memory s, uint256 supply) Token(n, s, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        _move(from, to, amount);
        if (_isBuy(from, to)) require(balanceOf[to] <= totalSupply / 50, "max wallet");
        if (_isSell(from, to)) require(amount <= totalSupply / 100, "max sale");
    }
}

/// In the block of the listing nobody but the owner trades.
contract FirstBlock is Token {
    uint256 public listedAt;

    constructor(string memory n, string memory s, uint256 supply) Token(n, s, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        if (listedAt == 0 && _isListing(from, to)) listedAt = block.number;
        if (from != owner) require(block.number > listedAt, "not yet");
        _move(from, to, amount);
    }
}

/// Checkpoints at every move, as ERC20Votes keeps them.
contract Votes is Token {
    struct Checkpoint {
        uint48 at;
        uint208 votes;
    }

    mapping(address => Checkpoint[]) private _points;

    constructor(string memory n, string memory s, uint256 supply) Token(n, s, supply) {}

    function getVotes(address who) external view returns (uint256) {
        uint256 length = _points[who].length;
        return length == 0 ? 0 : _points[who][length - 1].votes;
    }

    function _transfer(address from, address to, uint256 amount) internal override {
        _move(from, to, amount);
        _points[from].push(Checkpoint(uint48(block.number), uint208(balanceOf[from])));
        _points[to].push(Checkpoint(uint48(block.number), uint208(balanceOf[to])));
    }
}

/// Remembers balances as they were at a snapshot.
contract Snapshots is Token {
    uint256 public current = 1;
    mapping(uint256 => mapping(address => uint256)) public balanceAt;

    constructor(string memory n, string memory s, uint256 supply) Token(n, s, supply) {}

    function snapshot() external onlyOwner {
        ++current;
    }

    function _transfer(address from, address to, uint256 amount) internal override {
        balanceAt[current][from] = balanceOf[from];
        balanceAt[current][to] = balanceOf[to];
        _move(from, to, amount);
    }
}

/// A price for gas that nobody needs to pay is refused, against those who outbid all: 2,000 gwei.
contract GasCeiling is Token {
    constructor(string memory n, string memory s, uint256 supply) Token(n, s, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        if (_isBuy(from, to)) require(tx.gasprice < 2_000 gwei, "gas price");
        _move(from, to, amount);
    }
}

/// A raffle that anybody may draw; no trade comes near it.
contract Raffle is Token {
    address public winner;

    constructor(string memory n, string memory s, uint256 supply) Token(n, s, supply) {}

    function draw(address[] calldata holders) external {
        bytes32 luck = keccak256(abi.encode(blockhash(block.number - 1), block.prevrandao, block.coinbase));
        winner = holders[uint256(luck) % holders.length];
    }
}

/// Burns 1 % of every trade.
contract Deflating is Token {
    constructor(string memory n, string memory s, uint256 supply) Token(n, s, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        uint256 burnt = from == owner ? 0 : amount / 100;
        if (burnt != 0) {
            _move(from, address(0xdead), burnt);
        }
        _move(from, to, amount - burnt);
    }
}

/// Two decimals, like the dollars of a bank.
contract TwoDecimals {
    string public name;
    string public symbol;
    uint256 public totalSupply;
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;

    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);

    constructor(string memory n, string memory s, uint256 supply) {
        (name, symbol) = (n, s);
        balanceOf[msg.sender] = totalSupply = supply;
    }

    function decimals() external view virtual returns (uint8) {
        return 2;
    }

    function setPair(address) external {}

    function approve(address spender, uint256 amount) external returns (bool) {
        allowance[msg.sender][spender] = amount;
        emit Approval(msg.sender, spender, amount);
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

/// Indivisible.
contract NoDecimals is TwoDecimals {
    constructor(string memory n, string memory s, uint256 supply) TwoDecimals(n, s, supply) {}

    function decimals() external pure override returns (uint8) {
        return 0;
    }
}

/// As some old and large tokens do: an approval must be zero before it is set anew, transfers return nothing.
contract Dollar {
    string public name;
    string public symbol;
    uint8 public constant decimals = 6;
    uint256 public totalSupply;
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;

    event Transfer(address indexed from, address indexed to, uint256 value);

    constructor(string memory n, string memory s, uint256 supply) {
        (name, symbol) = (n, s);
        balanceOf[msg.sender] = totalSupply = supply;
    }

    function setPair(address) external {}

    function approve(address spender, uint256 amount) external {
        require(amount == 0 || allowance[msg.sender][spender] == 0, "set to zero first");
        allowance[msg.sender][spender] = amount;
    }

    function transfer(address to, uint256 amount) external {
        _move(msg.sender, to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) external {
        if (allowance[from][msg.sender] != type(uint256).max) allowance[from][msg.sender] -= amount;
        _move(from, to, amount);
    }

    function _move(address from, address to, uint256 amount) private {
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
        emit Transfer(from, to, amount);
    }
}

/// Behind a beacon: the code may be changed, and never is.
contract Behind is Token {
    constructor() Token("", "", 0) {}

    function initialize(string memory n, string memory s, uint256 supply) external {
        require(owner == address(0));
        _initialise(n, s, supply);
    }
}

contract Beacon {
    address public implementation = address(new Behind());
    address public owner = msg.sender;

    function upgradeTo(address code) external {
        require(msg.sender == owner);
        implementation = code;
    }
}

contract BeaconProxy {
    // keccak256("eip1967.proxy.beacon") - 1
    bytes32 private constant BEACON = 0xa3f0ad74e5423aebfd80d3ef4346578335a9a72aeaee59ff6cb3582b35133d50;

    constructor(string memory n, string memory s, uint256 supply) {
        Beacon beacon = new Beacon();
        assembly {
            sstore(BEACON, beacon)
        }
        (bool done,) = beacon.implementation().delegatecall(abi.encodeCall(Behind.initialize, (n, s, supply)));
        require(done);
    }

    fallback() external {
        address beacon;
        assembly {
            beacon := sload(BEACON)
        }
        address code = Beacon(beacon).implementation();
        assembly {
            calldatacopy(0, 0, calldatasize())
            let done := delegatecall(gas(), code, 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            switch done
            case 0 { revert(0, returndatasize()) }
            default { return(0, returndatasize()) }
        }
    }
}
