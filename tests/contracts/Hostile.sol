// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Token} from "../../sniper_cli/demo/contracts/Token.sol";

// What a clever author would write who has read the judge: tokens that look at the transaction, the block and the
// clock for a difference between being tried and being traded. None of them lets a real holder out.

interface IReserves {
    function getReserves() external view returns (uint112, uint112, uint32);
    function token0() external view returns (address);
}

abstract contract Watching is Token {
    uint256 public listedAt;
    uint256 public listedOn;

    constructor(string memory n, string memory s, uint256 supply) Token(n, s, supply) {}

    function _mayLeave(address from) internal virtual returns (bool);

    function _transfer(address from, address to, uint256 amount) internal virtual override {
        if (listedAt == 0 && _isListing(from, to)) (listedAt, listedOn) = (block.number, block.timestamp);
        if (_isSell(from, to)) require(_mayLeave(from), "paused");
        _move(from, to, amount);
    }
}

/// Who owns more than five coins is the operator, not a made-up account.
contract RichStay is Watching {
    constructor(string memory n, string memory s, uint256 supply) Watching(n, s, supply) {}

    function _mayLeave(address from) internal view override returns (bool) {
        return from.balance < 5 ether;
    }
}

/// Who has put nearly all he had into the purchase stays.
contract PoorStay is Watching {
    constructor(string memory n, string memory s, uint256 supply) Watching(n, s, supply) {}

    function _mayLeave(address from) internal view override returns (bool) {
        return from.balance > 0.04 ether;
    }
}

/// The hash of the block before the last: a node that makes its blocks up has none.
contract HashAware is Watching {
    constructor(string memory n, string memory s, uint256 supply) Watching(n, s, supply) {}

    function _mayLeave(address) internal view override returns (bool) {
        return blockhash(block.number - 1) == 0;
    }
}

/// The hashes of two blocks on end: made-up ones are missing somewhere behind.
contract DeepHashAware is Watching {
    constructor(string memory n, string memory s, uint256 supply) Watching(n, s, supply) {}

    function _mayLeave(address) internal view override returns (bool) {
        return blockhash(block.number - 1) == 0 || blockhash(block.number - 2) == 0 || block.number < listedAt + 3;
    }
}

/// After the twentieth block one in a million lets somebody out.
contract RareLottery is Watching {
    constructor(string memory n, string memory s, uint256 supply) Watching(n, s, supply) {}

    function _mayLeave(address) internal view override returns (bool) {
        return block.number < listedAt + 20 || block.prevrandao % 1_000_003 == 0;
    }
}

/// Only blocks of two builders, which a list of builders surely names.
contract BuilderClub is Watching {
    constructor(string memory n, string memory s, uint256 supply) Watching(n, s, supply) {}

    function _mayLeave(address) internal view override returns (bool) {
        return block.coinbase == 0x95222290DD7278Aa3Ddd389Cc1E1d165CC4BAfe5
            || block.coinbase == 0x4838B106FCe9647Bdf1E7877BF73cE8B0BAD5f97
            || block.coinbase == 0x1f9090aaE28b8a3dCeaDf281B0F12828e676c326;
    }
}

/// Shut while the base fee is twice that of the listing: whoever flees a crash stays.
contract PanicDoor is Watching {
    uint256 public calm;

    constructor(string memory n, string memory s, uint256 supply) Watching(n, s, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        if (_isListing(from, to)) calm = block.basefee;
        super._transfer(from, to, amount);
    }

    function _mayLeave(address) internal view override returns (bool) {
        return block.basefee < 2 * calm;
    }
}

/// Shut when gas is cheap, and most simulations are run on a quiet day.
contract QuietDoor is Watching {
    uint256 public calm;

    constructor(string memory n, string memory s, uint256 supply) Watching(n, s, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        if (_isListing(from, to)) calm = block.basefee;
        super._transfer(from, to, amount);
    }

    function _mayLeave(address) internal view override returns (bool) {
        return block.basefee * 3 > calm * 2;
    }
}

/// Three blocks in four are shut.
contract EveryFourth is Watching {
    constructor(string memory n, string memory s, uint256 supply) Watching(n, s, supply) {}

    function _mayLeave(address) internal view override returns (bool) {
        return block.number % 4 == 0;
    }
}

/// Closed from the fiftieth to the ninety-fifth block: between any two round numbers.
contract Window is Watching {
    constructor(string memory n, string memory s, uint256 supply) Watching(n, s, supply) {}

    function _mayLeave(address) internal view override returns (bool) {
        return block.number < listedAt + 50 || block.number > listedAt + 95;
    }
}

/// Closed for half of every day.
contract Nightly is Watching {
    constructor(string memory n, string memory s, uint256 supply) Watching(n, s, supply) {}

    function _mayLeave(address) internal view override returns (bool) {
        uint256 since = block.timestamp - listedOn;
        return since % 1 days < 2 hours || since % 1 days > 14 hours;
    }
}

/// Closed from the third to the sixth day.
contract Weekend is Watching {
    constructor(string memory n, string memory s, uint256 supply) Watching(n, s, supply) {}

    function _mayLeave(address) internal view override returns (bool) {
        uint256 since = block.timestamp - listedOn;
        return since < 3 days || since > 6 days;
    }
}

/// A sleeper: shuts after two months.
contract Sleeper is Watching {
    constructor(string memory n, string memory s, uint256 supply) Watching(n, s, supply) {}

    function _mayLeave(address) internal view override returns (bool) {
        return block.timestamp < listedOn + 60 days;
    }
}

/// From the twentieth block on a sale needs more gas than a person signs.
contract LateGasLimit is Watching {
    constructor(string memory n, string memory s, uint256 supply) Watching(n, s, supply) {}

    function _mayLeave(address) internal view override returns (bool) {
        return block.number < listedAt + 20 || gasleft() > 600_000;
    }
}

/// Knows one account, and lets twenty blocks pass before it shows.
contract KnowsYouLater is Watching {
    address public you;

    constructor(string memory n, string memory s, uint256 supply, uint256 you_) Watching(n, s, supply) {
        you = address(uint160(you_));
    }

    function _mayLeave(address from) internal view override returns (bool) {
        return from != you || block.number < listedAt + 20;
    }
}

/// A tip below three gwei marks a robot that waits.
contract TipAware is Watching {
    constructor(string memory n, string memory s, uint256 supply) Watching(n, s, supply) {}

    function _mayLeave(address) internal view override returns (bool) {
        return tx.gasprice - block.basefee > 3 gwei;
    }
}

/// 40 % of the tax hides in the price of gas.
contract GasPriceTax is Token {
    constructor(string memory n, string memory s, uint256 supply) Token(n, s, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        _moveTaxed(from, to, amount, _isSell(from, to) && tx.gasprice > 0 ? 4_000 : 0);
    }
}

/// The gas limit of the block is that of the listing's block for one who makes blocks up; miners move it.
contract LimitAware is Watching {
    constructor(string memory n, string memory s, uint256 supply) Watching(n, s, supply) {}

    function _mayLeave(address) internal view override returns (bool) {
        return block.number < listedAt + 30 || block.gaslimit > 1_000_000_000;
    }
}

/// Somebody else must not have traded in the same block: simulated blocks are empty.
contract LonelyBlock is Watching {
    uint256 private _last;
    address private _who;

    constructor(string memory n, string memory s, uint256 supply) Watching(n, s, supply) {}

    function _transfer(address from, address to, uint256 amount) internal override {
        if (_isBuy(from, to)) (_last, _who) = (block.number, to);
        super._transfer(from, to, amount);
    }

    function _mayLeave(address from) internal view override returns (bool) {
        return _last != block.number || _who == from;
    }
}

/// Asks a second contract, whose code is its author's secret, and which looks at the proposer.
contract Oracle {
    function allows(address) external view returns (bool) {
        return block.coinbase.balance < 1 ether && uint160(address(block.coinbase)) > type(uint96).max;
    }
}

contract AsksOracle is Watching {
    Oracle private _oracle = new Oracle();

    constructor(string memory n, string memory s, uint256 supply) Watching(n, s, supply) {}

    function _mayLeave(address from) internal view override returns (bool) {
        return block.number < listedAt + 40 || _oracle.allows(from);
    }
}

/// Lets everybody out but in the blocks of one proposer.
contract OneProposer is Watching {
    constructor(string memory n, string memory s, uint256 supply) Watching(n, s, supply) {}

    function _mayLeave(address) internal view override returns (bool) {
        return block.coinbase != 0x1111111111111111111111111111111111111111;
    }
}

/// The same, seen by another contract.
contract Doorman {
    function opens() external view returns (bool) {
        return block.coinbase != 0x1111111111111111111111111111111111111111;
    }
}

contract AsksDoorman is Watching {
    Doorman private _doorman = new Doorman();

    constructor(string memory n, string memory s, uint256 supply) Watching(n, s, supply) {}

    function _mayLeave(address) internal view override returns (bool) {
        return _doorman.opens();
    }
}
