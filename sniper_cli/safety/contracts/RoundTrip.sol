// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

interface IRoundToken {
    function balanceOf(address) external view returns (uint256);
    function approve(address, uint256) external;
}

interface IRoundRouter {
    function swapExactETHForTokensSupportingFeeOnTransferTokens(uint256, address[] calldata, address, uint256)
        external
        payable;
    function swapExactTokensForETHSupportingFeeOnTransferTokens(
        uint256, uint256, address[] calldata, address, uint256
    ) external;
}

/// Buys and sells in its constructor and answers with what came of it in place of code: one `eth_call` without a
/// recipient, which any node answers. While it is made it has no code, so a token that refuses contracts lets it pass.
contract RoundTrip {
    constructor(address router, address wrapped, address token) payable {
        uint256 stage;
        uint256 got;
        uint256 paid;
        bytes memory words;
        address[] memory path = new address[](2);
        (path[0], path[1]) = (wrapped, token);
        try IRoundRouter(router).swapExactETHForTokensSupportingFeeOnTransferTokens{value: msg.value}(
            0, path, address(this), type(uint256).max
        ) {
            got = IRoundToken(token).balanceOf(address(this));
            stage = 1;
            IRoundToken(token).approve(router, got);
            (path[0], path[1]) = (token, wrapped);
            uint256 before = address(this).balance;
            try IRoundRouter(router).swapExactTokensForETHSupportingFeeOnTransferTokens(
                got, 0, path, address(this), type(uint256).max
            ) {
                (stage, paid) = (2, address(this).balance - before);
            } catch (bytes memory reason) {
                words = reason;
            }
        } catch (bytes memory reason) {
            words = reason;
        }
        bytes memory answer = abi.encode(stage, got, paid, words);
        assembly {
            return(add(answer, 32), mload(answer))
        }
    }
}
