module Curvature.Tests.Properties.ProbeLaws

open FsCheck
open FsCheck.FSharp
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

/// A matrix, symmetric or not, and a probe whose vectors can all be written down.
type FormCase = { Probe: Probe; Size: int; Entries: float[] }

type FormArbitraries =
    static member Case() : Arbitrary<FormCase> =
        gen {
            let! size = Gen.choose (1, 6)
            // Signs are few enough to be enumerated for 10 entries; sparse vectors for 6.
            let! large = Gen.choose (7, 10)
            let! count = Gen.choose (1, size)
            let! q = Gen.elements [ 0.1; 0.25; 0.5; 1.0 ]

            let! probe, n =
                Gen.elements [
                    Probe.rademacher, size
                    Probe.rademacher, large
                    Probe.sparse q, size
                    Probe.fixedSparse count, size
                    Probe.basis, large
                ]

            let! entries = Gen.choose (-20, 20) |> Gen.map (fun i -> float i / 4.0) |> Gen.arrayOfLength (n * n)
            return { Probe = probe; Size = n; Entries = entries }
        }
        |> Arb.fromGen

let private matrix (case: FormCase) = Tensor.ofArray [ case.Size; case.Size ] case.Entries

let private product (case: FormCase) (z: float[]) =
    Array.init case.Size (fun i ->
        Seq.sumBy (fun j -> case.Entries[i * case.Size + j] * z[j]) (seq { 0 .. case.Size - 1 }))

let private form case z = Array.fold2 (fun sum a b -> sum + a * b) 0.0 z (product case z)

/// Σ p·f(z) over every vector that the probe gives: an expectation without sampling.
let private expectation (case: FormCase) (f: float[] -> float) =
    Probe.outcomes case.Probe case.Size |> Seq.sumBy (fun (p, z) -> p * f z)

let private close (expected: float) actual = Expect.close 1e-10 [| expected |] [| actual |]

let private law name property = lawOver [ typeof<FormArbitraries> ] 100 name property

[<Tests>]
let tests =
    testList "Properties.ProbeLaws" [
        law "probabilities sum to 1 and E zzᵀ is the identity" (fun (case: FormCase) ->
            close 1.0 (expectation case (fun _ -> 1.0))

            for i in 0 .. case.Size - 1 do
                for j in 0..i do
                    close (if i = j then 1.0 else 0.0) (expectation case (fun z -> z[i] * z[j])))

        law "the expectation of a quadratic form is the trace" (fun (case: FormCase) ->
            close (Matrices.trace (matrix case)) (expectation case (form case)))

        law "the variance of a quadratic form is that of the formula" (fun (case: FormCase) ->
            let trace = Matrices.trace (matrix case)

            close
                (Probe.varianceOfForm case.Probe (matrix case))
                (expectation case (fun z -> (form case z - trace) ** 2.0)))

        law "mean and variance of z∘Az are the diagonal and those of the formula" (fun (case: FormCase) ->
            let diagonal, variances =
                Matrices.diagonal (matrix case), Probe.varianceOfDiagonal case.Probe (matrix case)

            for i in 0 .. case.Size - 1 do
                let entry (z: float[]) = z[i] * (product case z)[i]
                close diagonal[i] (expectation case entry)
                close variances[i] (expectation case (fun z -> (entry z - diagonal[i]) ** 2.0)))

        law "the expectation of the squared product is the squared Frobenius norm" (fun (case: FormCase) ->
            close
                (Matrices.squaredNorm (matrix case))
                (expectation case (fun z -> product case z |> Array.sumBy (fun y -> y * y))))

        law "drawn vectors are among the outcomes" (fun (case: FormCase) (seed: int) ->
            let key = Key.OfSeed(int64 seed)

            let drawn =
                (Probe.draw case.Probe key case.Size (0, 4) DType.Float64).ToArray() |> Array.chunkBySize case.Size

            let outcomes = Probe.outcomes case.Probe case.Size |> Seq.map snd |> Seq.toList
            let near (a: float[]) (b: float[]) = Array.forall2 (fun x y -> abs (x - y) < 1e-12) a b

            Expect.isTrue
                $"{case.Probe} with {key}"
                (drawn |> Array.forall (fun z -> outcomes |> List.exists (near z))))
    ]
