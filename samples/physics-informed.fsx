// A physics-informed network (Raissi et al. 2019): it solves −Δu = f in the unit square, u = 0 on the edge, by making
// the residual of the equation small at random points. The Laplacian is exact, and the loss is differentiated through
// it.
//
//     dotnet fsi physics-informed.fsx
#r "nuget: Curvature.FSharp"

open System
open Curvature
open Curvature.FSharp

let keys = (Key.OfSeed 42L).Split 3
let network = Network.mlp Layer.tanh [ 2; 24; 24; 1 ]

let product (point: Tensor) = point[0] * point[1]

/// x(1 − x)y(1 − y) times a network: 0 on the edge, whatever the parameters are.
let u theta (point: Tensor) =
    let bubble = product (point * (1.0 - point))
    bubble * Tensor.sum (Network.forward network theta point)

/// The solution, to compare with, and the right-hand side that belongs to it.
let truth (point: Tensor) = product (Tensor.sin (Math.PI * point))
let f point = 2.0 * Math.PI ** 2.0 * truth point

let points = Tensor.uniform keys[0] DType.Float64 [ 256; 2 ]

/// The mean square of −Δu − f over the points.
let loss theta =
    let residual point = laplacian (u theta) point + f point
    vmap residual points |> Tensor.square |> Tensor.mean

let start = Network.initialize keys[1] DType.Float64 network

let trained =
    let options = TrainingOptions.Default.WithEpochs(600).WithOptimizer(Optimizer.adam 0.01)
    Training.minimize options (Risk.ofFunction loss) start

let unseen = Tensor.uniform keys[2] DType.Float64 [ 1000; 2 ]
let error theta = Tensor.norm (vmap (fun p -> u theta p - truth p) unseen) / Tensor.norm (vmap truth unseen)

for name, theta in [ "at first", start; "at the end", trained.Theta ] do
    let percent = 100.0 * (error theta).ToScalar()

    printfn
        $"{name}: mean squared residual {(loss theta).ToScalar():g3}, relative error {percent:f2} %% at unseen points"

// Residuals of differential equations are known to be badly conditioned, which is why they train slowly.
let pairs = ThickRestartLanczos.find SpectrumEnd.Largest 3 (Hessian.at loss trained.Theta)

printfn
    $"the largest eigenvalues of the loss's Hessian: {pairs.Values[0]:g3}, {pairs.Values[1]:g3}, {pairs.Values[2]:g3}"
