/// The risks that every process of the tests registers, and what is measured of them.
module Curvature.Tests.Orleans.Workload

open System
open System.Runtime.InteropServices
open System.Security.Cryptography
open System.Threading
open Curvature
open Curvature.FSharp

let network = Network.mlp Layer.tanh [ 6; 7; 3 ]

let theta dtype = Network.initialize (Key.OfSeed 1L) dtype network

let private batch dtype group number size =
    let key = Key.OfSeed(int64 (1000 * group + number))

    Batch(
        Tensor.normal key dtype [ size; 6 ],
        Tensor.ofIndices [ size ] (Array.init size (fun i -> (3 * i + group + number) % 3))
    )

let private loss (batch: Batch) theta =
    Network.forward network theta batch.Inputs |> Loss.softmaxCrossEntropy Reduction.Mean batch.Targets

/// Two batches of five samples in each of eight groups.
let private even group = seq { for number in 0..1 -> batch DType.Float64 group number 5 }

/// None to three batches of one to seven samples in each of eleven groups; the first is empty too.
let private uneven group =
    seq { for number in 1 .. (group * 7) % 4 -> batch DType.Float32 group number (1 + (group + 2 * number) % 7) }

/// The same as `even`, each batch as slowly as a large one.
let private slow (batch: Batch) theta =
    Thread.Sleep 15
    loss batch theta

/// A vector of 1 MB that a product gives back, so that nothing but messages takes time.
let wide = 262144

let private square (batch: Batch) (theta: Tensor) = 0.5 * Tensor.dot theta theta + 0.0 * Tensor.sum batch.Inputs

let private tiny group = seq { Batch(Tensor.ones DType.Float32 [ 1; 1 ], Tensor.ofIndices [ 1 ] [| group |]) }

/// As the program that a user writes: by name, before anything connects.
let shards =
    Shards.empty
    |> Shards.register "even" 8 even loss
    |> Shards.register "uneven" 11 uneven loss
    |> Shards.register "slow" 8 even slow
    |> Shards.register "wide" 3 tiny square
    |> Shards.register "failing" 2 even (fun _ _ -> raise (InvalidOperationException "the disk is full"))

/// What a worker that does not go with the others registers.
let otherShards = Shards.empty |> Shards.register "even" 7 even loss

let private hash (values: float[]) =
    Convert.ToHexString(SHA256.HashData(MemoryMarshal.AsBytes(ReadOnlySpan values)))[..11]

/// Every bit of what operators, estimators and spectra give, by name.
let quantities dtype (risk: EmpiricalRisk) : (string * string) list =
    use hessian = Hessian.ofRisk risk (theta dtype)
    let key = Key.OfSeed 2L
    let matvecs = StoppingRule.matvecs
    let trace = Hutchinson.trace (matvecs 24) key hessian
    let xtrace = XTrace.estimate (matvecs 16) key hessian
    let diagonal = Hutchinson.diagonal (matvecs 16) key hessian

    let layers =
        Hutchinson.estimate Probe.rademacher (Measurement.blockTraces (ParameterLayout.blocks network.Layout))

    let pairs = ThickRestartLanczos.find SpectrumEnd.Largest 3 hessian
    let density = StochasticLanczos.sample 3 12 key hessian |> SpectralDensity.ofSample Smoothing.papyan

    [
        "trace", hash [| trace.Value; trace.StandardError |]
        "diagonal", hash (diagonal.Value.ToArray())
        "layer traces", hash [| for block in layers (matvecs 16) key hessian -> block.Trace.Value |]
        "XTrace", hash [| xtrace.Value; xtrace.StandardError |]
        "eigenvalues", hash pairs.Values
        "eigenvectors", hash (pairs.Vectors |> Seq.map _.ToArray() |> Array.concat)
        "density", hash density.Values
    ]

/// A trace that takes a while, with all of its bits.
let longTrace (options: RunOptions) (risk: EmpiricalRisk) : string =
    use hessian = Hessian.ofRisk risk (theta DType.Float64)

    let trace =
        Estimate.runWith
            (options.WithBlockSize 8)
            (Hutchinson.estimator Probe.rademacher Measurement.trace)
            (StoppingRule.matvecs 192)
            (Key.OfSeed 3L)
            hessian

    $"{trace.Value:R} ± {trace.StandardError:R} from {trace.Samples}"
