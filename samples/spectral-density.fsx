// The density of the eigenvalues of a network's Hessian, before and after training, drawn into one chart.
//
//     dotnet fsi spectral-density.fsx
#r "nuget: Curvature.FSharp"
#r "nuget: Curvature.Charts"

open System.IO
open Curvature
open Curvature.FSharp

let keys = (Key.OfSeed 42L).Split 4

// Classes of random inputs, told by the largest of their first five coordinates.
let inputs = Tensor.normal keys[0] DType.Float64 [ 512; 20 ]
let labels = inputs[*, ..4] |> Tensor.argMax
let network = Network.mlp Layer.tanh [ 20; 32; 32; 5 ]
let loss theta = Network.forward network theta inputs |> Loss.softmaxCrossEntropy Reduction.Mean labels

let start = Network.initialize keys[1] DType.Float64 network

let trained =
    let options = TrainingOptions.Default.WithEpochs(40).WithOptimizer(Optimizer.adam 0.01)
    (Training.minimize options (Risk.ofFunction loss) start).Theta

/// Lanczos quadrature: 8 random vectors of 60 products each.
let densityAt theta =
    Hessian.at loss theta |> StochasticLanczos.sample 8 60 keys[2] |> SpectralDensity.ofSample Smoothing.papyan

let densities = [ "before training", densityAt start; "after training", densityAt trained ]

for name, density in densities do
    let most, _ = Array.zip density.Grid density.Values |> Array.maxBy snd
    printfn $"{name}: from {density.Grid[0]:g3} to {Array.last density.Grid:g3}, most of it at {most:g2}"

let chart =
    Chart.create
        "Eigenvalues of the Hessian"
        (Axis.linear "eigenvalue λ")
        ((Axis.logarithmic "density per unit of λ").WithRange(1e-4, 1e2))
        [ for name, density in densities -> Series.line name density.Grid density.Values ]

File.WriteAllText("spectral-density.svg", Chart.toSvg chart)
printfn "spectral-density.svg is written"
