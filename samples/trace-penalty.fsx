// A classifier trained with and without a penalty on the trace of the loss's Hessian: how flat the minimum is, and what
// it costs in accuracy.
//
//     dotnet fsi trace-penalty.fsx

#r "nuget: Curvature.FSharp"
#load "TwoMoons.fs" "TracePenalty.fs"

open Curvature
open Curvature.FSharp
open Samples
open Samples.TracePenalty

let keys = (Key.OfSeed 42L).Split 3

let draw key =
    let points, labels = TwoMoons.draw key 0.2 400
    { Inputs = points; Labels = labels }

let data, held = draw keys[0], draw keys[1]
let network = Network.mlp Layer.tanh [ 2; 16; 16; 2 ]
printfn $"a network of {network.ParameterCount} parameters on two moons of 400 points"

for penalty in [ 0.0; 0.003 ] do
    let watch = System.Diagnostics.Stopwatch.StartNew()
    let theta = train network keys[2] penalty 400 data
    printfn $"\npenalty {penalty}, trained in {watch.Elapsed.TotalSeconds:F1} s"
    printfn $"  loss {(loss network data theta).ToScalar():F4}"
    printfn $"  trace of the Hessian {trace network data theta:F2}"
    printfn $"  accuracy on unseen points {accuracy network held theta:P1}"
