// Curvature while a network learns two moons: gradient descent climbs to the edge of stability, where the sharpness
// meets 2/learning rate (Cohen et al. 2021). The charts are in training-monitor.svg.
//
//     dotnet fsi training-monitor.fsx

#r "nuget: Curvature.FSharp"
#load "TwoMoons.fs"

open System.IO
open Curvature
open Curvature.FSharp
open Samples

let keys = (Key.OfSeed 42L).Split 2
let points, labels = TwoMoons.draw keys[0] 0.1 200
let network = Network.mlp Layer.tanh [ 2; 32; 32; 2 ]
let theta = Network.initialize keys[1] points.DType network
let criterion = Loss.softmaxCrossEntropy Reduction.Mean
let risk = network |> Network.risk Reduction.Mean criterion [ Batch(points, labels) ]

let monitor = Monitor.create (MonitorOptions.Default.WithTimeShare 0.1) risk
let descent = Optimizer.gradientDescent 0.5
let options = TrainingOptions.Default.WithEpochs(6000).WithOptimizer(descent).WithMonitor monitor
let result = Training.minimize options risk theta

for record in monitor.Records do
    printfn $"{record}"

printfn $"{result}"
File.WriteAllText("training-monitor.svg", Monitor.toSvg monitor)
printfn "training-monitor.svg is written"
