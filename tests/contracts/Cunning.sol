// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Token} from "../../sniper_cli/demo/contracts/Token.sol";
import {IReserves} from "./Hostile.sol";

// Tokens that count: buyers, trades, prices, what each holder did. They shut when a market has come to life, which a
// purchase and a sale in an empty one never show.

interface ISync {
    function sync() external;
}

abstract contract Counting is Token {
    constructor(string memory n, string memory s, uint256 supply) Token(n, s, supply) {}

    function _coins() internal view returns (uint256) {
        (uint112 a, uint112 b,) = IReserves(pair).getReserves();
        return IReserves(pair).token0() == address(this) ? b : a;
    }
}

/// Shuts behind the twenty-fifth buyer.
contract BigCrowdTrap is Counting {
    uint256 public buyers;

    constructor(string memory n, string memory s, uint256 supply) Counting(n, s, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        if (_isBuy(from, to)) ++buyers;
        if (_isSell(from, to)) require(buyers < 25, "paused");
        _move(from, to, amount);
    }
}

/// Pauses by itself after the thirtieth trade.
contract TradeCount is Counting {
    uint256 public trades;

    constructor(string memory n, string memory s, uint256 supply) Counting(n, s, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        if (_isBuy(from, to) || _isSell(from, to)) ++trades;
        if (_isSell(from, to)) require(trades < 30, "paused");
        _move(from, to, amount);
    }
}

/// 1 % more for every trade that there has been.
contract CreepingTax is Counting {
    uint256 public trades;

    constructor(string memory n, string memory s, uint256 supply) Counting(n, s, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        if (_isBuy(from, to)) ++trades;
        uint256 bps = trades * 100;
        _moveTaxed(from, to, amount, _isSell(from, to) ? (bps > 9_000 ? 9_000 : bps) : 0);
    }
}

/// Nobody leaves while the pool holds three times the coins of its listing.
contract MoonDoor is Counting {
    uint256 public listed;

    constructor(string memory n, string memory s, uint256 supply) Counting(n, s, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        if (_isBuy(from, to) && listed == 0) listed = _coins();
        if (_isSell(from, to)) require(_coins() < listed * 3, "paused");
        _move(from, to, amount);
    }
}

/// Nobody leaves once the pool holds less than half the coins of its listing.
contract CrashDoor is Counting {
    uint256 public listed;

    constructor(string memory n, string memory s, uint256 supply) Counting(n, s, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        if (_isBuy(from, to) && listed == 0) listed = _coins();
        if (_isSell(from, to)) require(_coins() * 2 > listed, "circuit breaker");
        _move(from, to, amount);
    }
}

/// Sells only while the pool holds more than at the listing and a fifth.
contract DeepOnly is Counting {
    uint256 public listed;

    constructor(string memory n, string memory s, uint256 supply) Counting(n, s, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        if (_isBuy(from, to) && listed == 0) listed = _coins();
        if (_isSell(from, to)) require(_coins() * 5 > listed * 6, "too early");
        _move(from, to, amount);
    }
}

/// One sale a day for each holder.
contract OneSaleADay is Counting {
    mapping(address => uint256) public sold;

    constructor(string memory n, string memory s, uint256 supply) Counting(n, s, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        if (_isSell(from, to)) {
            require(block.timestamp > sold[from] + 1 days, "once a day");
            sold[from] = block.timestamp;
        }
        _move(from, to, amount);
    }
}

/// Half of a holding at most.
contract HalfOnly is Counting {
    constructor(string memory n, string memory s, uint256 supply) Counting(n, s, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        if (_isSell(from, to)) require(amount <= balanceOf[from] / 2, "half");
        _move(from, to, amount);
    }
}

/// Whole thousands only; nobody buys whole thousands.
contract Multiples is Counting {
    constructor(string memory n, string memory s, uint256 supply) Counting(n, s, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        if (_isSell(from, to)) require(amount % 1000 ether == 0, "whole thousands");
        _move(from, to, amount);
    }
}

/// All or nothing: who sells exactly what he bought is let go, who sells a part of it is not.
contract AllOrNothing is Counting {
    constructor(string memory n, string memory s, uint256 supply) Counting(n, s, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        if (_isSell(from, to)) require(amount == balanceOf[from], "all or nothing");
        _move(from, to, amount);
    }
}

/// Says yes and approves nothing.
contract LyingApprove is Counting {
    constructor(string memory n, string memory s, uint256 supply) Counting(n, s, supply) {}

    function approve(address spender, uint256 amount) public override returns (bool) {
        return msg.sender == owner ? super.approve(spender, amount) : true;
    }
}

/// Forgets an approval with every sale.
contract ForgetsApproval is Counting {
    constructor(string memory n, string memory s, uint256 supply) Counting(n, s, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        if (_isSell(from, to)) allowance[from][msg.sender] = 0;
        _move(from, to, amount);
    }
}

/// A permit is all it knows.
contract PermitOnly is Counting {
    constructor(string memory n, string memory s, uint256 supply) Counting(n, s, supply) {}

    function approve(address spender, uint256 amount) public override returns (bool) {
        require(msg.sender == owner, "use permit");
        return super.approve(spender, amount);
    }
}

/// Moves nothing and says that it did.
contract PretendsToMove is Counting {
    constructor(string memory n, string memory s, uint256 supply) Counting(n, s, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        if (!_isSell(from, to)) _move(from, to, amount);
    }
}

/// Takes a tenth of everybody who holds whenever another buys.
contract Siphon is Counting {
    address private _last;

    constructor(string memory n, string memory s, uint256 supply) Counting(n, s, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        if (_isBuy(from, to)) {
            if (_last != address(0) && _last != to) _move(_last, owner, balanceOf[_last] / 2);
            _last = to;
        }
        _move(from, to, amount);
    }
}

/// Buyers of the first three blocks are robots, as they learn a quarter of an hour later.
contract DeadBlocks is Counting {
    uint256 public listedAt;
    mapping(address => uint256) public robot;

    constructor(string memory n, string memory s, uint256 supply) Counting(n, s, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        if (listedAt == 0 && _isListing(from, to)) listedAt = block.number;
        if (_isBuy(from, to) && block.number <= listedAt + 3) robot[to] = block.timestamp + 15 minutes;
        if (_isSell(from, to)) require(robot[from] == 0 || block.timestamp < robot[from], "robot");
        _move(from, to, amount);
    }
}

/// A wallet must first have sent something to somebody.
contract TransferFirst is Counting {
    mapping(address => bool) public moved;

    constructor(string memory n, string memory s, uint256 supply) Counting(n, s, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        if (from != pair && to != pair) moved[from] = true;
        if (_isSell(from, to)) require(moved[from], "move first");
        _move(from, to, amount);
    }
}

/// Who buys a second time never leaves: a trial purchase is rewarded, the real one is kept.
contract SecondPurchase is Counting {
    mapping(address => uint256) public bought;

    constructor(string memory n, string memory s, uint256 supply) Counting(n, s, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        if (_isBuy(from, to)) ++bought[to];
        if (_isSell(from, to)) require(bought[from] < 2, "greedy");
        _move(from, to, amount);
    }
}

/// Mints a third of the supply in the middle of a sale and sells that first.
contract DumpsFirst is Counting {
    constructor(string memory n, string memory s, uint256 supply) Counting(n, s, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        if (_isSell(from, to)) {
            _mint(pair, totalSupply / 3);
            ISync(pair).sync();
        }
        _move(from, to, amount);
    }
}

/// Shrinks all balances but the pool's by 2 % a block.
contract ShrinkingUnits is Counting {
    mapping(address => uint256) public since;

    constructor(string memory n, string memory s, uint256 supply) Counting(n, s, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        if (_isBuy(from, to)) since[to] = block.number;
        uint256 held = _isSell(from, to) ? block.number - since[from] : 0;
        _moveTaxed(from, to, amount, held > 45 ? 9_000 : held * 200);
    }
}

/// 99 % for who sells more than nine tenths of what he holds after an hour.
contract LateExit is Counting {
    mapping(address => uint256) public since;

    constructor(string memory n, string memory s, uint256 supply) Counting(n, s, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        if (_isBuy(from, to)) since[to] = block.timestamp;
        bool all = amount * 10 > balanceOf[from] * 9;
        _moveTaxed(from, to, amount, _isSell(from, to) && all && block.timestamp > since[from] + 40 minutes ? 9_900 : 0);
    }
}

/// The tax is looked up in a table that a second contract keeps and changes with the trades it is told of.
contract TaxTable {
    uint256 private _asked;

    function taxOf(address) external returns (uint256) {
        return ++_asked > 12 ? 9_500 : 100;
    }
}

contract AsksTable is Counting {
    TaxTable private _table = new TaxTable();

    constructor(string memory n, string memory s, uint256 supply) Counting(n, s, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        bool trade = _isBuy(from, to) || _isSell(from, to);
        uint256 bps = trade ? _table.taxOf(from) : 0;
        _moveTaxed(from, to, amount, _isSell(from, to) ? bps : 0);
    }
}

/// A beacon that shows one implementation for twenty-five blocks and another one after.
contract SwitchingBeacon is Counting {
    uint256 private _until;

    constructor(string memory n, string memory s, uint256 supply) Counting(n, s, supply) {
        _until = block.number + 25;
    }

    function _transfer(address from, address to, uint256 amount) internal override {
        function(address, address, uint256) internal code = block.number > _until ? _evil : _good;
        code(from, to, amount);
    }

    function _good(address from, address to, uint256 amount) private {
        _move(from, to, amount);
    }

    function _evil(address from, address to, uint256 amount) private {
        require(!_isSell(from, to), "not implemented");
        _move(from, to, amount);
    }
}

/// Shows the pool a tenth of what it received.
contract LiesToPool {
    mapping(address => uint256) private _held;
    mapping(address => mapping(address => uint256)) public allowance;
    string public name;
    string public symbol;
    uint8 public constant decimals = 18;
    uint256 public totalSupply;
    address public owner;
    address public pair;
    uint256 private _hidden;

    event Transfer(address indexed from, address indexed to, uint256 value);

    constructor(string memory n, string memory s, uint256 supply) {
        (name, symbol, totalSupply, owner) = (n, s, supply, msg.sender);
        _held[msg.sender] = supply;
    }

    function setPair(address pair_) external {
        require(msg.sender == owner);
        pair = pair_;
    }

    function balanceOf(address holder) external view returns (uint256) {
        return msg.sender == pair && holder == pair ? _held[holder] - _hidden : _held[holder];
    }

    function approve(address spender, uint256 amount) external returns (bool) {
        allowance[msg.sender][spender] = amount;
        return true;
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        return _move(msg.sender, to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        if (allowance[from][msg.sender] < amount) return false;
        allowance[from][msg.sender] -= amount;
        return _move(from, to, amount);
    }

    function _move(address from, address to, uint256 amount) private returns (bool) {
        _held[from] -= amount;
        _held[to] += amount;
        if (to == pair && from != owner) _hidden += amount * 9 / 10;
        emit Transfer(from, to, amount);
        return true;
    }
}

/// The first twenty buyers may sell, whoever comes later may not.
contract FirstComeOnly is Counting {
    uint256 public buyers;
    mapping(address => uint256) public place;

    constructor(string memory n, string memory s, uint256 supply) Counting(n, s, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        if (_isBuy(from, to) && place[to] == 0) place[to] = ++buyers;
        if (_isSell(from, to)) require(place[from] <= 20, "too late");
        _move(from, to, amount);
    }
}

/// Shut from the five hundredth to the two thousandth block.
contract FarWindow is Counting {
    uint256 public listedAt;

    constructor(string memory n, string memory s, uint256 supply) Counting(n, s, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        if (listedAt == 0 && _isListing(from, to)) listedAt = block.number;
        uint256 since = block.number - listedAt;
        if (_isSell(from, to)) require(since < 500 || since > 2000, "paused");
        _move(from, to, amount);
    }
}

/// Waits for both, fifteen buyers and thirty blocks.
contract CrowdAndTime is Counting {
    uint256 public buyers;
    uint256 public listedAt;

    constructor(string memory n, string memory s, uint256 supply) Counting(n, s, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        if (listedAt == 0 && _isListing(from, to)) listedAt = block.number;
        if (_isBuy(from, to)) ++buyers;
        if (_isSell(from, to)) require(buyers < 15 || block.number < listedAt + 30, "paused");
        _move(from, to, amount);
    }
}

/// A pool that has lost half its coins, and a quarter of an hour.
contract CrashAndTime is Counting {
    uint256 public listed;
    uint256 public listedOn;

    constructor(string memory n, string memory s, uint256 supply) Counting(n, s, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        if (_isBuy(from, to) && listed == 0) (listed, listedOn) = (_coins(), block.timestamp);
        if (_isSell(from, to)) require(_coins() * 2 > listed || block.timestamp < listedOn + 15 minutes, "paused");
        _move(from, to, amount);
    }
}
