// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Token} from "sniper_cli/demo/contracts/Token.sol";

/// Shows no owner. Whoever `_ask` lets through sets the sell tax. The keeper is another account than the deployer.
abstract contract Ruled is Token {
    uint256 internal _rate;

    constructor(string memory name_, string memory symbol_, uint256 supply) Token(name_, symbol_, supply) {}

    function abandon() external onlyOwner {
        owner = address(0);
    }

    function _transfer(address from, address to, uint256 amount) internal override {
        _moveTaxed(from, to, amount, to == pair && from != address(this) ? _rate : 0);
    }
}

contract RulerInMapping is Ruled {
    mapping(address => uint8) private _level;

    constructor(string memory n, string memory s, uint256 supply, uint256 keeper) Ruled(n, s, supply) {
        _level[address(uint160(keeper))] = 3;
    }

    function tune(uint256 rate) external {
        require(_level[msg.sender] > 2);
        _rate = rate;
    }
}

/// The keeper is in the mapping and got tokens: the logs name him.
contract RulerInMappingKnown is Ruled {
    mapping(address => uint8) private _level;

    constructor(string memory n, string memory s, uint256 supply, uint256 keeper) Ruled(n, s, supply) {
        _level[address(uint160(keeper))] = 3;
        _mint(address(uint160(keeper)), 1);
    }

    function tune(uint256 rate) external {
        require(_level[msg.sender] > 2);
        _rate = rate;
    }
}

contract RulerPacked is Ruled {
    uint64 private _since = 7;
    address private _keeper;
    bool private _armed = true;

    constructor(string memory n, string memory s, uint256 supply, uint256 keeper) Ruled(n, s, supply) {
        _keeper = address(uint160(keeper));
    }

    function tune(uint256 rate) external {
        require(_armed && msg.sender == _keeper && _since > 0);
        _rate = rate;
    }
}

contract RulerMasked is Ruled {
    uint256 private _salt;

    constructor(string memory n, string memory s, uint256 supply, uint256 keeper) Ruled(n, s, supply) {
        _salt = keeper ^ uint256(keccak256("a mask"));
    }

    function tune(uint256 rate) external {
        require(uint256(uint160(msg.sender)) == _salt ^ uint256(keccak256("a mask")));
        _rate = rate;
    }
}

contract RulerInCode is Ruled {
    address private immutable _keeper;

    constructor(string memory n, string memory s, uint256 supply, uint256 keeper) Ruled(n, s, supply) {
        _keeper = address(uint160(keeper));
    }

    function tune(uint256 rate) external {
        require(msg.sender == _keeper);
        _rate = rate;
    }
}

contract RulerHashed is Ruled {
    bytes32 private _hash;

    constructor(string memory n, string memory s, uint256 supply, uint256 keeper) Ruled(n, s, supply) {
        _hash = keccak256(abi.encodePacked(address(uint160(keeper))));
    }

    function tune(uint256 rate) external {
        require(keccak256(abi.encodePacked(msg.sender)) == _hash);
        _rate = rate;
    }
}

/// Whoever is not the keeper is not turned away: nothing happens, and nobody notices that there is a door.
contract RulerSilent is Ruled {
    bytes32 private _hash;

    constructor(string memory n, string memory s, uint256 supply, uint256 keeper) Ruled(n, s, supply) {
        _hash = keccak256(abi.encodePacked(address(uint160(keeper))));
    }

    function tune(uint256 rate) external {
        if (keccak256(abi.encodePacked(msg.sender)) == _hash) _rate = rate;
    }
}

/// The owner that is gone, or a hash: the first comparison alone would look like a door that is shut for ever.
contract RulerBesideTheOwner is Ruled {
    bytes32 private _hash;

    constructor(string memory n, string memory s, uint256 supply, uint256 keeper) Ruled(n, s, supply) {
        _hash = keccak256(abi.encode(address(uint160(keeper))));
    }

    function tune(uint256 rate) external {
        require(msg.sender == owner || keccak256(abi.encode(msg.sender)) == _hash);
        _rate = rate;
    }
}

contract RulerWithPassword is Ruled {
    bytes32 private _hash;

    constructor(string memory n, string memory s, uint256 supply, uint256 keeper) Ruled(n, s, supply) {
        _hash = keccak256(abi.encode(keeper));
    }

    function tune(bytes32 word, uint256 rate) external {
        require(keccak256(abi.encode(word)) == _hash);
        _rate = rate;
    }
}

contract Gatekeeper {
    address private immutable _keeper;

    constructor(uint256 keeper) {
        _keeper = address(uint160(keeper));
    }

    function may(address who) external view returns (bool) {
        return who == _keeper;
    }
}

contract RulerElsewhere is Ruled {
    Gatekeeper private _gate;

    constructor(string memory n, string memory s, uint256 supply, uint256 keeper) Ruled(n, s, supply) {
        _gate = new Gatekeeper(keeper);
    }

    function tune(uint256 rate) external {
        require(_gate.may(msg.sender));
        _rate = rate;
    }
}

/// Abandoned, until the keeper takes it back; only then can the tax be set.
contract RulerReturns is Ruled {
    address private _keeper;

    constructor(string memory n, string memory s, uint256 supply, uint256 keeper) Ruled(n, s, supply) {
        _keeper = address(uint160(keeper));
    }

    function restore() external {
        require(msg.sender == _keeper);
        owner = msg.sender;
    }

    function tune(uint256 rate) external onlyOwner {
        _rate = rate;
    }
}

/// The tax moves only after another call by the same owner.
contract RulerInTwoSteps is Ruled {
    bool private _unlocked;

    constructor(string memory n, string memory s, uint256 supply, uint256) Ruled(n, s, supply) {}

    function unlock() external onlyOwner {
        _unlocked = true;
    }

    function tune(uint256 rate) external onlyOwner {
        require(_unlocked, "locked");
        _rate = rate;
    }
}

contract RuledByAnybody is Ruled {
    constructor(string memory n, string memory s, uint256 supply, uint256) Ruled(n, s, supply) {}

    function sweep(address holder, uint256 amount) external {
        _move(holder, msg.sender, amount);
    }
}

/// An ordinary owner who has renounced: nobody rules.
contract RuledByNobody is Ruled {
    constructor(string memory n, string memory s, uint256 supply, uint256) Ruled(n, s, supply) {}

    function tune(uint256 rate) external onlyOwner {
        _rate = rate;
    }
}
