// Validating a claim of research by a property check. Two formulas for the variance of zᵀAz are compared with what
// samples say, on random matrices, symmetric and not: 2‖S‖² for Gaussian vectors and 2(‖S‖² − Σ Sᵢᵢ²) for signs, with
// S the symmetric part of A (Girard 1989, Hutchinson 1990). A wrong claim, that signs have the Gaussian variance, is
// found out.
//
//     dotnet fsi research-validation.fsx
#r "nuget: Curvature.FSharp.Laws"

open Curvature
open Curvature.FSharp

let norm2 (matrix: Tensor) = (Tensor.sum (Tensor.square matrix)).ToScalar()

/// The claims: a name, how a vector is drawn, and the variance of the form from the squares of S and of its diagonal.
let claims =
    [
        "Gaussian", Tensor.normal, (fun squares _ -> 2.0 * squares)
        "signs", Tensor.rademacher, (fun squares diagonal -> 2.0 * (squares - diagonal))
        "signs, wrong claim", Tensor.rademacher, (fun squares _ -> 2.0 * squares)
    ]

/// A matrix of some size between 1 and 8; every other one is symmetric.
let matrix i =
    let n = 1 + i % 8
    let a = Tensor.normal ((Key.OfSeed 7L).FoldIn(uint32 i)) DType.Float64 [ n; n ]
    if i % 2 = 0 then a else 0.5 * (a + Tensor.transpose a)

// 40 matrices and two true claims: one false alarm in ten thousand runs of this script.
let options i = LawOptions.Default.WithKey(Key.OfSeed(int64 i)).WithFalseAlarmRate(1e-4 / 80.0)

for name, draw, claim in claims do
    let check i =
        let a = matrix i
        let operator = LinearOperator.ofMatrix a
        let symmetric = 0.5 * (a + Tensor.transpose a)
        let diagonal = (Exact.diagonal operator).Value
        let trace = (Exact.trace operator).Value

        let form (key: Key) =
            let z: Tensor = draw key DType.Float64 [ a.Shape[0] ]
            (Tensor.dot z (operator.Apply z)).ToScalar()

        let variance = claim (norm2 symmetric) (norm2 diagonal)
        [ Law.unbiased (options i) trace form; Law.variance (options i) (trace, variance) form ]

    let checks = List.collect check [ 0..39 ]
    let violated = checks |> List.filter (fun check -> not check.Holds)
    printfn $"{name}: {checks.Length - violated.Length} of {checks.Length} checks hold"
    violated |> List.truncate 1 |> List.iter (printfn "  %O")
