// A continuous normalizing flow on two moons: the log-likelihood of points that it has not seen, beside that of a
// normal density.
//
//     dotnet fsi normalizing-flow.fsx

#r "nuget: Curvature.FSharp"
#load "TwoMoons.fs" "Flow.fs"

open Curvature
open Samples

let keys = (Key.OfSeed 42L).Split 3
let points, _ = TwoMoons.draw keys[0] 0.1 1024
let held, _ = TwoMoons.draw keys[1] 0.1 1024

let watch = System.Diagnostics.Stopwatch.StartNew()
let flow = Flow.create 32 8
let theta = Flow.train flow keys[2] 200 128 points
printfn $"trained in {watch.Elapsed.TotalSeconds:F0} s"
printfn $"log-likelihood of unseen points, in nats for each:"
printfn $"  normal density  {Flow.gaussianLogLikelihood points held:F3}"
printfn $"  flow            {Flow.logLikelihood flow theta held:F3}"
