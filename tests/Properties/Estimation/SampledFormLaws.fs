/// E zᵀAz = tr A, and the variance of zᵀAz by formulas of the symmetric part S: 2‖S‖² for Gaussian vectors,
/// 2(‖S‖² − ΣSᵢᵢ²) for signs (Girard 1989, Hutchinson 1990). What enumeration cannot check, Gaussian vectors and
/// Float32, samples do.
module Curvature.Tests.Properties.SampledFormLaws

open FsCheck
open FsCheck.FSharp
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

/// A matrix of one of the shapes that traces are taken of, symmetric or not, of either element type.
type SampledForm = { Shape: string; Seed: int64; DType: DType; Matrix: Tensor }

type SampledFormArbitraries =
    static member Case() : Arbitrary<SampledForm> =
        gen {
            let! n = Gen.choose (1, 9)
            let! seed = Gen.choose (0, 1 <<< 30) |> Gen.map int64
            let! shape = Gen.elements [ "full"; "symmetric"; "skew"; "diagonal"; "low rank"; "outlier"; "zero" ]
            let! dtype = Gen.elements [ DType.Float64; DType.Float32 ]
            let a = Tensor.normal (Key.OfSeed seed) DType.Float64 [ n; n ]
            let u = Tensor.normal (Key.OfSeed(seed + 1L)) DType.Float64 [ n; 1 ]

            let matrix =
                match shape with
                | "symmetric" -> a + Tensor.transpose a
                | "skew" -> a - Tensor.transpose a
                | "diagonal" -> a * Tensor.eye DType.Float64 n
                | "low rank" -> Tensor.matmul u (Tensor.transpose u)
                | "outlier" -> 100.0 * Tensor.matmul u (Tensor.transpose u) + a
                | "zero" -> 0.0 * a
                | _ -> a

            return
                {
                    Shape = shape
                    Seed = seed
                    DType = dtype
                    Matrix = Tensor.convert dtype matrix
                }
        }
        |> Arb.fromGen

let private squares (t: Tensor) = (Tensor.sum (Tensor.square t)).ToScalar()

// 60 cases of 4 laws, at less than one false alarm in a million runs of all.
let private options (case: SampledForm) =
    let rounding = if case.DType = DType.Float64 then 1e-9 else 1e-5
    LawOptions.Default.WithKey(Key.OfSeed case.Seed).WithFalseAlarmRate(2e-9).WithRounding rounding

let private obeys (probe: Probe) (claimed: float -> float -> float) (case: SampledForm) =
    let n = case.Matrix.Shape[0]
    let wide = Tensor.convert DType.Float64 case.Matrix
    let symmetricPart = 0.5 * (wide + Tensor.transpose wide)
    let diagonal = symmetricPart * Tensor.eye DType.Float64 n
    let trace = (Tensor.sum diagonal).ToScalar()

    let form (key: Key) =
        let z = Tensor.item 0 0 (Probe.draw probe key n (0, 1) case.DType)
        (Tensor.dot z (Tensor.matmul case.Matrix z)).ToScalar()

    let variance = claimed (squares symmetricPart) (squares diagonal)

    let options = options case

    let checks =
        if variance > 1e-10 * squares wide then
            [ Law.unbiased options trace form; Law.variance options (trace, variance) form ]
        else
            // Forms of skew matrices, and forms of signs with diagonal ones, do not vary: they are the trace, up to
            // rounding, which the size of the matrix tells.
            let size = 1.0 + sqrt (squares wide)
            [ Law.exact options (100.0 * options.Rounding) 1.0 (fun key -> 1.0 + (form key - trace) / size) ]

    for check in checks do
        Expect.isTrue $"{case.Shape} {case.Matrix}: {check}" check.Holds

let private law name property = lawOver [ typeof<SampledFormArbitraries> ] 60 name property

[<Tests>]
let tests =
    testList "Properties.SampledFormLaws" [
        law
            "Gaussian forms have the trace as expectation and twice the squared norm as variance"
            (fun (case: SampledForm) -> obeys Probe.gaussian (fun all _ -> 2.0 * all) case)

        law
            "forms of signs have the trace as expectation and a variance without the diagonal"
            (fun (case: SampledForm) -> obeys Probe.rademacher (fun all diagonal -> 2.0 * (all - diagonal)) case)

        law "the library's formula gives the same variances" (fun (case: SampledForm) ->
            let wide = Tensor.convert DType.Float64 case.Matrix
            let symmetricPart = 0.5 * (wide + Tensor.transpose wide)
            let diagonal = squares (symmetricPart * Tensor.eye DType.Float64 case.Matrix.Shape[0])

            Expect.close 1e-12 [| 2.0 * squares symmetricPart; 2.0 * (squares symmetricPart - diagonal) |] [|
                Probe.varianceOfForm Probe.gaussian wide
                Probe.varianceOfForm Probe.rademacher wide
            |])
    ]
