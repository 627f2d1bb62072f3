// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

// Lockers of liquidity with the getters of those that are in use, and of their innards only what the getters tell.

interface Shares {
    function transferFrom(address from, address to, uint256 amount) external returns (bool);
}

interface Positions {
    function transferFrom(address from, address to, uint256 number) external;
}

/// Locks of a token in a list of its own.
contract FirstLocker {
    struct Lock {
        uint256 lockDate;
        uint256 amount;
        uint256 initialAmount;
        uint256 unlockDate;
        uint256 lockID;
        address owner;
    }

    mapping(address => Lock[]) public tokenLocks;

    function lock(address token, uint256 amount, uint256 until) external {
        Shares(token).transferFrom(msg.sender, address(this), amount);
        tokenLocks[token].push(
            Lock(block.timestamp, amount, amount + 1, until, tokenLocks[token].length, msg.sender)
        );
    }

    function getNumLocksForToken(address token) external view returns (uint256) {
        return tokenLocks[token].length;
    }
}

/// Locks of all tokens in one list, their numbers by token.
contract SecondLocker {
    struct Lock {
        address lpToken;
        uint256 lockDate;
        uint256 amount;
        uint256 initialAmount;
        uint256 unlockDate;
        uint256 lockID;
        address owner;
        uint16 countryCode;
    }

    mapping(uint256 => Lock) public LOCKS;
    mapping(address => uint256[]) public TOKEN_LOCKS;
    uint256 public NONCE = 7;

    function lock(address token, uint256 amount, uint256 until) external {
        Shares(token).transferFrom(msg.sender, address(this), amount);
        LOCKS[NONCE] = Lock(token, block.timestamp, amount, amount + 1, until, NONCE, msg.sender, 0);
        TOKEN_LOCKS[token].push(NONCE++);
    }

    function getNumLocksForToken(address token) external view returns (uint256) {
        return TOKEN_LOCKS[token].length;
    }
}

/// Locks with a description, which makes their list one of dynamic members.
contract PinkLocker {
    struct Lock {
        uint256 id;
        address token;
        address owner;
        uint256 amount;
        uint256 lockDate;
        uint256 tgeDate;
        uint256 tgeBps;
        uint256 cycle;
        uint256 cycleBps;
        uint256 unlockedAmount;
        string description;
    }

    mapping(address => Lock[]) locks;

    function lock(address token, uint256 amount, uint256 until) external {
        Shares(token).transferFrom(msg.sender, address(this), amount);
        locks[token].push(
            Lock(1, token, msg.sender, amount + 5, block.timestamp, until, 0, 0, 0, 5, "our launch")
        );
    }

    function totalLockCountForToken(address token) external view returns (uint256) {
        return locks[token].length;
    }

    function getLocksForToken(address token, uint256 first, uint256 last) external view returns (Lock[] memory told) {
        told = new Lock[](last - first + 1);
        for (uint256 at = first; at <= last; at++) told[at - first] = locks[token][at];
    }
}

/// Locks of positions, named by an event.
contract PositionLocker {
    struct Lock {
        uint256 lockId;
        address manager;
        address pool;
        uint256 number;
        address owner;
        address pendingOwner;
        address additionalCollector;
        address collectAddress;
        uint256 unlockDate;
        uint16 countryCode;
        uint256 fee;
    }

    event onLock(
        uint256 lockId, address manager, uint256 number, address owner, address a, address b, uint256 unlockDate
    );

    Lock[] locks;

    function lock(address manager, uint256 number, uint256 until) external {
        Positions(manager).transferFrom(msg.sender, address(this), number);
        address me = msg.sender;
        locks.push(Lock(locks.length, manager, address(0), number, me, address(0), me, me, until, 0, 0));
        emit onLock(locks.length - 1, manager, number, me, me, me, 1);
    }

    function relock(uint256 lockId, uint256 until) external {
        locks[lockId].unlockDate = until;
    }

    function getLock(uint256 lockId) external view returns (Lock memory) {
        return locks[lockId];
    }
}
