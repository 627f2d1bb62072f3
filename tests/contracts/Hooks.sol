// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

// Hooks of Uniswap v4 pools, as a launch might have them: they are asked around each swap, and answer as they like.
// The manager tells by the address when; tests lay their code where the address says so.

interface Manager {
    function take(address currency, address to, uint256 amount) external;
}

struct Key {
    address currency0;
    address currency1;
    uint24 fee;
    int24 tickSpacing;
    address hooks;
}

struct Swap {
    bool zeroForOne;
    int256 amountSpecified;
    uint160 limit;
}

abstract contract Sides {
    address immutable coin;

    constructor(address coin_) {
        coin = coin_;
    }

    function _isSale(Key calldata key, Swap calldata swap) internal view returns (bool) {
        return (swap.zeroForOne ? key.currency0 : key.currency1) != coin;
    }
}

/// Takes a part of what comes out of a swap, in basis points: one of purchases, another of sales.
contract TakingHooks is Sides {
    Manager immutable manager;
    uint256 immutable buyBps;
    uint256 immutable sellBps;

    constructor(address manager_, address coin_, uint256 buyBps_, uint256 sellBps_) Sides(coin_) {
        (manager, buyBps, sellBps) = (Manager(manager_), buyBps_, sellBps_);
    }

    function afterSwap(address, Key calldata key, Swap calldata swap, int256 delta, bytes calldata)
        external
        returns (bytes4, int128)
    {
        int128 out = swap.zeroForOne ? int128(delta) : int128(delta >> 128);
        uint256 part = uint256(int256(out)) * (_isSale(key, swap) ? sellBps : buyBps) / 10_000;
        if (part != 0) manager.take(swap.zeroForOne ? key.currency1 : key.currency0, address(this), part);
        return (this.afterSwap.selector, int128(int256(part)));
    }
}

/// Refuses every sale from a block on.
contract RefusingHooks is Sides {
    uint256 immutable from;

    constructor(address coin_, uint256 from_) Sides(coin_) {
        from = from_;
    }

    function beforeSwap(address, Key calldata key, Swap calldata swap, bytes calldata)
        external
        view
        returns (bytes4, int256, uint24)
    {
        require(block.number < from || !_isSale(key, swap), "bot");
        return (this.beforeSwap.selector, 0, 0);
    }
}

/// Sets the fee of each swap anew, in hundredths of a basis point: one of purchases, another of sales.
contract PricingHooks is Sides {
    uint24 constant OVERRIDE = 0x400000;
    uint24 immutable buyFee;
    uint24 immutable sellFee;

    constructor(address coin_, uint24 buyFee_, uint24 sellFee_) Sides(coin_) {
        (buyFee, sellFee) = (buyFee_, sellFee_);
    }

    function beforeSwap(address, Key calldata key, Swap calldata swap, bytes calldata)
        external
        view
        returns (bytes4, int256, uint24)
    {
        return (this.beforeSwap.selector, 0, (_isSale(key, swap) ? sellFee : buyFee) | OVERRIDE);
    }
}
