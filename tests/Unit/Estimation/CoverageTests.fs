module Curvature.Tests.Unit.CoverageTests

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

/// Measures the traces of diagonal matrices with given eigenvalues, all from the same vectors, through the identity.
module private Traces =

    let ofSpectra (spectra: float[] list) : Measurement<Estimate<float> list> =
        let n = spectra.Head.Length

        let eigenvalues =
            spectra
            |> Array.concat
            |> Tensor.ofArray [ spectra.Length; n ]
            |> Tensor.transpose
            |> Tensor.convert DType.Float32

        Measurement(
            true,
            fun _ ->
                let moments = spectra |> List.map (fun _ -> FormMoments())

                { new Accumulator<_>() with
                    member _.Add block =
                        let rows =
                            (Tensor.matmul block.Weighted eigenvalues).ToArray() |> Array.chunkBySize spectra.Length

                        moments |> List.iteri (fun s own -> own.Add(block.Vectors, rows |> Array.map (Array.item s)))

                    member _.Summaries =
                        moments |> List.map (fun own -> struct (Summaries.ofForms own, true)) |> List.toArray

                    member _.Finish ledger =
                        moments |> List.map (fun own -> Estimates.sampled own.Law own.Mean own.StandardError ledger)

                    member _.State = [ for own in moments -> own ]
                }
        )

let private holds (truth: float) (estimate: Estimate<float>) =
    let interval = estimate.Interval 0.95
    interval.Low <= truth && truth <= interval.High

let private keys = (Key.OfSeed 50L).Split 2000

[<Tests>]
let tests =
    testList "Unit.CoverageTests" [
        // Normal probes look the same in every basis, so that a diagonal stands for every matrix with these
        // eigenvalues.
        test "95 percent intervals from 100 samples hold the truth in 93 to 97 percent of 2000 repetitions" {
            let names, spectra = Matrices.spectra 1000 |> List.unzip
            let truths = spectra |> List.map Array.sum
            let identity = LinearOperator.identity DType.Float32 1000
            let options = RunOptions.Default.WithBlockSize 100

            let run key =
                Estimate.runWith
                    options
                    (Hutchinson.estimator Probe.gaussian (Traces.ofSpectra spectra))
                    (StoppingRule.matvecs 100)
                    key
                    identity

            let results = keys |> Array.map (run >> List.map2 holds truths)

            names
            |> List.iteri (fun s name ->
                let share = results |> Array.averageBy (fun held -> if held[s] then 1.0 else 0.0)
                stdout.WriteLine $"{name}: {share}"
                Expect.inRange name 0.93 0.97 share)
        }

        // The Hessian of the network on digits, by its eigenvalues: normal probes do not see the basis.
        test "intervals hold the truth as often for the Hessian of a network" {
            let eigenvalues =
                IO.File.ReadAllLines(SharedData.path "reference/digits_mlp_hessian_eigenvalues.txt")
                |> Array.filter (fun line -> line.Trim() <> "" && not (line.StartsWith "#"))
                |> Array.map float

            let identity = LinearOperator.identity DType.Float32 eigenvalues.Length
            let measurement = Traces.ofSpectra [ eigenvalues ]
            let options = RunOptions.Default.WithBlockSize 100

            let estimate key =
                Estimate.runWith
                    options
                    (Hutchinson.estimator Probe.gaussian measurement)
                    (StoppingRule.matvecs 100)
                    key
                    identity
                |> List.head

            let share =
                keys |> Array.averageBy (fun key -> if holds (Array.sum eigenvalues) (estimate key) then 1.0 else 0.0)

            stdout.WriteLine $"digits: {share}"
            Expect.inRange "share" 0.93 0.97 share
        }

        test "intervals of a run that stops by what it sees hold the truth at least as often as they say" {
            let spectrum = Array.init 20 (fun i -> 1.0 + float i / 20.0)
            let operator = LinearOperator.ofDiagonal (Tensor.ofArray [ 20 ] spectrum)

            let run key =
                Hutchinson.estimate Probe.gaussian Measurement.trace (StoppingRule.relativeErrorAt 0.8 0.1) key operator

            let share = keys |> Array.averageBy (fun key -> if holds (Array.sum spectrum) (run key) then 1.0 else 0.0)
            // Five standard errors below what sequential intervals at 95 % hold.
            Expect.isGreaterThanOrEqual "share" (share, 0.94 - 5.0 * sqrt (0.94 * 0.06 / float keys.Length))
        }
    ]
