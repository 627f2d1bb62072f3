// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Token} from "../../sniper_cli/demo/contracts/Token.sol";

// Tokens that look for a difference between being tried and being traded, and honest ones that are easily taken for
// traps. The judgement was written before them; each came from the question: by what could it be told from life?

interface IPair {
    function sync() external;
    function getReserves() external view returns (uint112, uint112, uint32);
    function token0() external view returns (address);
}

interface IRouter {
    function WETH() external view returns (address);
    function swapExactTokensForETHSupportingFeeOnTransferTokens(
        uint256, uint256, address[] calldata, address, uint256
    ) external;
}

/// Simulations are given more gas than a person signs.
contract GasLimitAware is Token {
    constructor(string memory n, string memory s, uint256 supply) Token(n, s, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        if (_isSell(from, to)) require(gasleft() > 1_000_000, "paused");
        _move(from, to, amount);
    }
}

/// Simulated senders are given a fortune.
contract FortuneAware is Token {
    constructor(string memory n, string memory s, uint256 supply) Token(n, s, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        if (_isSell(from, to)) require(from.balance > 1_000 ether || from.balance % 1 ether == 0, "paused");
        _move(from, to, amount);
    }
}

/// A proposer made up for a simulation owns nothing.
contract PoorProposer is Token {
    constructor(string memory n, string memory s, uint256 supply) Token(n, s, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        if (_isSell(from, to)) require(block.coinbase.balance == 0, "paused");
        _move(from, to, amount);
    }
}

/// Simulated blocks come with a random number of nothing or of one repeated byte.
contract RandomAware is Token {
    constructor(string memory n, string memory s, uint256 supply) Token(n, s, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        uint256 r = block.prevrandao;
        bool odd = r == 0 || r == uint256(keccak256("")) || (r >> 8) == (r & (type(uint256).max >> 8));
        if (_isSell(from, to)) require(odd, "paused");
        _move(from, to, amount);
    }
}

/// Half of all blocks let nobody out.
contract Lottery is Token {
    constructor(string memory n, string memory s, uint256 supply) Token(n, s, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        if (_isSell(from, to)) require(block.prevrandao % 2 == 0, "unlucky");
        _move(from, to, amount);
    }
}

/// Nobody sells at a profit: the door is shut while the pool holds more coins than at the listing.
contract NoProfit is Token {
    uint256 public listed;

    constructor(string memory n, string memory s, uint256 supply) Token(n, s, supply) {}

    function _coins() private view returns (uint256) {
        (uint112 a, uint112 b,) = IPair(pair).getReserves();
        return IPair(pair).token0() == address(this) ? b : a;
    }

    function _transfer(address from, address to, uint256 amount) internal override {
        if (_isBuy(from, to) && listed == 0) listed = _coins();
        if (_isSell(from, to)) require(_coins() * 10 < listed * 12, "paused");
        _move(from, to, amount);
    }
}

/// Nobody sells at a loss, "to protect the community": a stop-loss never comes through.
contract NoLoss is Token {
    mapping(address => uint256) public entry;

    constructor(string memory n, string memory s, uint256 supply) Token(n, s, supply) {}

    function _price() private view returns (uint256) {
        (uint112 a, uint112 b,) = IPair(pair).getReserves();
        (uint256 mine, uint256 coins) = IPair(pair).token0() == address(this) ? (a, b) : (b, a);
        return coins * 1 ether / mine;
    }

    function _transfer(address from, address to, uint256 amount) internal override {
        if (_isBuy(from, to)) entry[to] = _price();
        if (_isSell(from, to)) require(_price() >= entry[from], "hold!");
        _move(from, to, amount);
    }
}

/// A purchase fills 250 fresh storage slots.
contract GasOnBuy is Token {
    mapping(uint256 => uint256) private _log;
    uint256 private _length;

    constructor(string memory n, string memory s, uint256 supply) Token(n, s, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        if (_isBuy(from, to)) {
            uint256 end = _length + 250;
            for (uint256 i = _length; i < end; ++i) _log[i] = amount;
            _length = end;
        }
        _move(from, to, amount);
    }
}

/// A single unit of what is sold reaches the pool; the rest stays, unsold for ever.
contract Pittance is Token {
    constructor(string memory n, string memory s, uint256 supply) Token(n, s, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        _move(from, to, _isSell(from, to) ? 1 : amount);
    }
}

/// The door shuts behind the sixth buyer.
contract CrowdTrap is Token {
    uint256 public buyers;

    constructor(string memory n, string memory s, uint256 supply) Token(n, s, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        if (_isBuy(from, to)) ++buyers;
        if (_isSell(from, to)) require(buyers < 6, "paused");
        _move(from, to, amount);
    }
}

/// Shuts after 25 blocks, unless nothing at all happened for so long, as in a simulation that jumps.
contract JumpAware is Token {
    uint256 public listedAt;
    uint256 public last;

    constructor(string memory n, string memory s, uint256 supply) Token(n, s, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        if (listedAt == 0 && _isListing(from, to)) listedAt = block.number;
        if (_isSell(from, to)) require(block.number < listedAt + 25 || block.number > last + 10, "paused");
        last = block.number;
        _move(from, to, amount);
    }
}

/// Knows an account by its address.
contract KnowsYou is Token {
    address public you;

    constructor(string memory n, string memory s, uint256 supply, uint256 you_) Token(n, s, supply) {
        you = address(uint160(you_));
    }

    function _transfer(address from, address to, uint256 amount) internal override {
        if (_isSell(from, to)) require(from != you, "bot");
        _move(from, to, amount);
    }
}

/// Half of all addresses are marked by their last bit.
contract OddAddresses is Token {
    constructor(string memory n, string memory s, uint256 supply) Token(n, s, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        if (_isSell(from, to)) require(uint160(from) % 2 == 0, "bot");
        _move(from, to, amount);
    }
}

/// Spoils the price first: a sale is taxed nothing and paid nearly nothing.
contract PriceSpoiler is Token {
    constructor(string memory n, string memory s, uint256 supply) Token(n, s, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        if (_isSell(from, to)) {
            _mint(pair, totalSupply * 50);
            IPair(pair).sync();
        }
        _move(from, to, amount);
    }
}

/// Spoils the price in the purchase itself: the pool is flooded before anybody asks what it would pay.
contract FloodsOnBuy is Token {
    constructor(string memory n, string memory s, uint256 supply) Token(n, s, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        if (_isBuy(from, to)) _mint(pair, totalSupply * 50);
        _move(from, to, amount);
    }
}

/// Spoils the price between purchase and sale, when the router is approved.
contract FloodsOnApprove is Token {
    constructor(string memory n, string memory s, uint256 supply) Token(n, s, supply) {}

    function approve(address spender, uint256 amount) public override returns (bool) {
        if (pair != address(0) && msg.sender != owner) {
            _mint(pair, totalSupply * 50);
            IPair(pair).sync();
        }
        return super.approve(spender, amount);
    }
}

/// Sells only at the base fee of the purchase, which no later block has.
contract StillFee is Token {
    mapping(address => uint256) public paid;

    constructor(string memory n, string memory s, uint256 supply) Token(n, s, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        if (_isBuy(from, to)) paid[to] = block.basefee;
        if (_isSell(from, to)) require(block.basefee == paid[from], "paused");
        _move(from, to, amount);
    }
}

/// Sells only in the block of the approval: the desk approves in time.
contract FreshApproval is Token {
    mapping(address => uint256) public approvedAt;

    constructor(string memory n, string memory s, uint256 supply) Token(n, s, supply) {}

    function approve(address spender, uint256 amount) public override returns (bool) {
        approvedAt[msg.sender] = block.number;
        return super.approve(spender, amount);
    }

    function _transfer(address from, address to, uint256 amount) internal override {
        if (_isSell(from, to)) require(approvedAt[from] == block.number, "paused");
        _move(from, to, amount);
    }
}

/// Who comes one block late never leaves.
contract LateBuyers is Token {
    uint256 public first;
    mapping(address => bool) public late;

    constructor(string memory n, string memory s, uint256 supply) Token(n, s, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        if (_isListing(from, to)) first = block.number;
        if (_isBuy(from, to)) late[to] = block.number > first + 1;
        if (_isSell(from, to)) require(!late[from], "paused");
        _move(from, to, amount);
    }
}

/// Shuts after three hundred blocks: beyond what real nodes simulate.
contract Patient is Token {
    uint256 public listedAt;

    constructor(string memory n, string memory s, uint256 supply) Token(n, s, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        if (listedAt == 0 && _isListing(from, to)) listedAt = block.number;
        if (_isSell(from, to)) require(block.number < listedAt + 300, "paused");
        _move(from, to, amount);
    }
}

/// Balances melt while they are held.
contract Melting is Token {
    mapping(address => uint256) public since;

    constructor(string memory n, string memory s, uint256 supply) Token(n, s, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        if (_isBuy(from, to)) since[to] = block.timestamp;
        if (_isSell(from, to)) {
            uint256 held = block.timestamp - since[from];
            uint256 lost = balanceOf[from] * (held > 2000 ? 2000 : held) / 2500;
            if (lost != 0) _move(from, address(0xdead), lost);
        }
        _move(from, to, amount);
    }
}

/// An approval without limit marks a robot.
contract UnlimitedApproval is Token {
    constructor(string memory n, string memory s, uint256 supply) Token(n, s, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        if (_isSell(from, to)) require(allowance[from][msg.sender] != type(uint256).max, "bot");
        _move(from, to, amount);
    }
}

/// People approve without limit; who lets the router take no more than he sells is a machine.
contract ExactApproval is Token {
    constructor(string memory n, string memory s, uint256 supply) Token(n, s, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        if (_isSell(from, to)) require(allowance[from][msg.sender] == type(uint256).max, "bot");
        _move(from, to, amount);
    }
}

/// What was bought goes to nobody.
contract Vanishing is Token {
    constructor(string memory n, string memory s, uint256 supply) Token(n, s, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        _move(from, _isBuy(from, to) ? address(0xdead) : to, amount);
    }
}

/// The tax grows with what is sold: little for a test, most for everything.
contract SizeTax is Token {
    constructor(string memory n, string memory s, uint256 supply) Token(n, s, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        _moveTaxed(from, to, amount, _isSell(from, to) && amount > totalSupply / 500 ? 8_000 : 0);
    }
}

/// A stable price for gas: who bids more than twice the base fee, as one does who flees, stays inside.
contract NoHurry is Token {
    constructor(string memory n, string memory s, uint256 supply) Token(n, s, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        if (_isSell(from, to)) require(tx.gasprice - block.basefee < 5 gwei, "calm down");
        _move(from, to, amount);
    }
}

// ---- honest, and odd ----

/// One trade a block for each account, against sandwiches.
contract OneTradeABlock is Token {
    mapping(address => uint256) public last;

    constructor(string memory n, string memory s, uint256 supply) Token(n, s, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        if (_isBuy(from, to)) last[to] = block.number;
        if (_isSell(from, to)) require(block.number > last[from], "one trade a block");
        _move(from, to, amount);
    }
}

/// Collects 4 % and sells what it has collected into the pool, in the middle of somebody's sale.
contract SwapBack is Token {
    bool private _inside;
    IRouter private _router;

    constructor(string memory n, string memory s, uint256 supply, uint256 router_) Token(n, s, supply) {
        _router = IRouter(address(uint160(router_)));
    }

    receive() external payable {}

    function _transfer(address from, address to, uint256 amount) internal override {
        if (_inside || (!_isBuy(from, to) && !_isSell(from, to))) return _move(from, to, amount);
        uint256 collected = balanceOf[address(this)];
        if (_isSell(from, to) && collected > totalSupply / 10_000) {
            _inside = true;
            allowance[address(this)][address(_router)] = collected;
            address[] memory path = new address[](2);
            (path[0], path[1]) = (address(this), _router.WETH());
            _router.swapExactTokensForETHSupportingFeeOnTransferTokens(collected, 0, path, owner, block.timestamp);
            _inside = false;
        }
        _moveTaxed(from, to, amount, 400);
    }
}

/// Returns nothing from approve and transferFrom, as some old and large tokens do.
contract Silent is Token {
    constructor(string memory n, string memory s, uint256 supply) Token(n, s, supply) {}

    function approve(address spender, uint256 amount) public override returns (bool) {
        super.approve(spender, amount);
        assembly {
            return(0, 0)
        }
    }
}

/// Whole metadata out of an attacker's hand.
contract Babbler {
    uint256 public totalSupply;
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;
    address public pair;
    bytes private _name;
    bytes private _symbol;
    uint256 private _decimals;

    event Transfer(address indexed from, address indexed to, uint256 value);

    constructor(string memory n, string memory s, uint256 supply) {
        _name = bytes(n);
        _symbol = bytes(s);
        _decimals = 18;
        totalSupply = supply;
        balanceOf[msg.sender] = supply;
    }

    function setPair(address pair_) external {
        pair = pair_;
    }

    /// Answers as raw bytes: what is given is returned undecoded and unencoded.
    function say(bytes calldata name_, bytes calldata symbol_, uint256 decimals_) external {
        (_name, _symbol, _decimals) = (name_, symbol_, decimals_);
    }

    function name() external view {
        _answer(_name);
    }

    function symbol() external view {
        _answer(_symbol);
    }

    function decimals() external view returns (uint256) {
        require(_decimals != 999);
        return _decimals;
    }

    function _answer(bytes memory data) private pure {
        assembly {
            return(add(data, 32), mload(data))
        }
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

/// Only whose balance was asked for by a transaction may sell; nobody but a simulation asks that way.
contract LookedAt {
    uint256 public totalSupply;
    uint8 public constant decimals = 18;
    string public name;
    string public symbol;
    address public pair;
    address private _owner;
    mapping(address => uint256) private _held;
    mapping(address => bool) private _seen;
    mapping(address => mapping(address => uint256)) public allowance;

    event Transfer(address indexed from, address indexed to, uint256 value);

    constructor(string memory n, string memory s, uint256 supply) {
        (name, symbol, totalSupply, _owner) = (n, s, supply, msg.sender);
        _held[msg.sender] = supply;
    }

    function setPair(address pair_) external {
        pair = pair_;
    }

    function balanceOf(address holder) external returns (uint256) {
        if (msg.sender == tx.origin) _seen[holder] = true;
        return _held[holder];
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
        if (to == pair) require(from == _owner || _seen[from], "paused");
        return _move(from, to, amount);
    }

    function _move(address from, address to, uint256 amount) private returns (bool) {
        _held[from] -= amount;
        _held[to] += amount;
        emit Transfer(from, to, amount);
        return true;
    }
}
