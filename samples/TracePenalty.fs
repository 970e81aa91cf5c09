/// Training towards flat minima: the loss, and a share of the trace of its Hessian, which random vectors estimate and
/// which is differentiated like the loss.
module Samples.TracePenalty

open Curvature
open Curvature.FSharp

/// Inputs [rows; features] with a label for each row.
type Data = { Inputs: Tensor; Labels: Tensor }

let loss (network: Network) (data: Data) (theta: Tensor) : Tensor =
    Network.forward network theta data.Inputs |> Loss.softmaxCrossEntropy Reduction.Mean data.Labels

/// Adam on loss + penalty·trace, with one fresh sign vector a step.
let train (network: Network) (key: Key) (penalty: float) (steps: int) (data: Data) : Tensor =
    let mutable theta = Network.initialize (key.FoldIn 0u) data.Inputs.DType network
    let mutable optimizer = Optimizer.adam 0.02
    let loss = loss network data

    for step in 1..steps do
        let trace = Stochastic.laplacian 1 (key.FoldIn(uint32 step)) loss
        let objective theta = if penalty = 0.0 then loss theta else loss theta + penalty * trace theta
        let struct (next, following) = optimizer.Step(theta, grad objective theta)
        theta <- next
        optimizer <- following

    theta

/// The trace of the loss's Hessian, exactly.
let trace (network: Network) (data: Data) (theta: Tensor) : float =
    (Exact.trace (Hessian.at (loss network data) theta)).Value

/// The share of rows whose label is the likeliest class.
let accuracy (network: Network) (data: Data) (theta: Tensor) : float =
    let found = Network.forward network theta data.Inputs |> Tensor.argMax
    Array.map2 (fun a b -> if a = b then 1.0 else 0.0) (found.ToArray()) (data.Labels.ToArray()) |> Array.average
