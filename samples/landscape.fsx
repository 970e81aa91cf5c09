// The loss in the plane of the two sharpest directions of a trained network, as a map.
//
//     dotnet fsi landscape.fsx
#r "nuget: Curvature.FSharp"
#r "nuget: Curvature.Charts"

open System.IO
open Curvature
open Curvature.FSharp

let keys = (Key.OfSeed 42L).Split 3
let inputs = Tensor.normal keys[0] DType.Float64 [ 256; 10 ]
let targets = Tensor.sin (Tensor.sumAxes [ 1 ] inputs)
let network = Network.mlp Layer.tanh [ 10; 24; 1 ]

let risk =
    Risk.ofFunction (fun theta ->
        let outputs = Network.forward network theta inputs |> Tensor.reshape [ 256 ]
        Tensor.mean (Tensor.square (outputs - targets)))

let trained =
    let options = TrainingOptions.Default.WithEpochs(300).WithOptimizer(Optimizer.adam 0.01)
    Training.minimize options risk (Network.initialize keys[1] DType.Float64 network)

let point = Hessian.evaluate risk trained.Theta
let pairs = ThickRestartLanczos.find SpectrumEnd.Largest 2 point.Hessian
printfn $"loss {point.Loss:g4}, largest eigenvalues {pairs.Values[0]:g4} and {pairs.Values[1]:g4}"

let axis i = Direction.eigenvector i pairs |> Landscape.axis (Landscape.grid 1.0 33)
let plane = Landscape.plane risk trained.Theta (axis 0) (axis 1)

let chart =
    let positions = Landscape.grid 1.0 33 |> Array.ofSeq

    Chart.create
        "Loss around the minimum"
        (Axis.linear "along v₁")
        (Axis.linear "along v₂")
        [ Series.contours "loss" positions positions plane.Losses ]

File.WriteAllText("landscape.svg", Chart.toSvg (chart.WithSize(480, 440)))
printfn $"{plane.Losses[16, 16]:g4} in the middle, {plane.Losses[0, 0]:g4} in a corner; landscape.svg is written"
