module Curvature.Tests.Unit.OrthogonalizationTests

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private vectors seed dtype n count = Probe.draw Probe.gaussian (Key.OfSeed seed) n (0, count) dtype

let private identity n = MathNet.Numerics.LinearAlgebra.Matrix<float>.Build.DenseIdentity n

/// How far rows are from orthonormal.
let private defect (panels: Panels) =
    let gram = Rows.productsOf panels panels
    (gram - identity panels.Count).L2Norm()

let private extend (basis: OrthonormalBasis) size (block: Tensor) =
    [
        for first in 0..size .. Rows.count block - 1 ->
            basis.Extend(Tensor.slice 0 first (min size (Rows.count block - first)) block)
    ]

/// Rows whose singular values fall from 1 by a factor each.
let private decaying dtype n count factor =
    let left, right = Matrices.orthogonal 1 count, Matrices.orthogonal 2 n |> Tensor.slice 0 0 count
    let weights = Tensor.ofArray [ count; 1 ] (Array.init count (fun i -> Math.Pow(factor, float i)))
    Tensor.matmul left (weights * right) |> Tensor.convert dtype

[<Tests>]
let tests =
    testList "Unit.OrthogonalizationTests" [
        for dtype, factor, tolerance in
            [ DType.Float64, 0.5, 1e-13; DType.Float64, 0.9, 1e-13; DType.Float32, 0.7, 2e-5 ] do
            test $"a basis of nearly dependent vectors is orthonormal, and spans them ({dtype}, {factor})" {
                for size in [ 1; 7; 16; 40 ] do
                    let rows = decaying dtype 200 40 factor
                    let basis = OrthonormalBasis(200, dtype)
                    let extensions = extend basis size rows
                    Expect.isLessThan $"blocks of {size}" (defect basis.Panels, tolerance)

                    Expect.isLessThan
                        "rows |> Rows.without basis.Pane…"
                        ((rows |> Rows.without basis.Panels |> Tensor.norm).ToScalar(), 10.0 * tolerance)
                    // Each kept row is the combination of basis vectors that its coefficients tell.
                    let kept = extensions |> List.sumBy (fun e -> e.Kept.Length)
                    Expect.equal "basis.Rank" kept basis.Rank

                    extensions
                    |> List.iteri (fun i e ->
                        let own = rows |> Tensor.slice 0 (i * size) (min size (40 - i * size)) |> Rows.choose e.Kept
                        let known = Panels 200

                        basis.Panels.Numbered
                        |> List.iter (fun struct (first, block) ->
                            if first + Rows.count block <= e.Coefficients.RowCount then known.Add block)

                        if known.Count = e.Coefficients.RowCount && known.Count > 0 then
                            let again = Rows.combineAll (e.Coefficients.Transpose()) known

                            Expect.isLessThan
                                "Tensor.norm (again - own)"
                                ((Tensor.norm (again - own)).ToScalar(), 10.0 * tolerance))
            }

        for dtype in [ DType.Float64; DType.Float32 ] do
            test $"the rank of dependent vectors is found, whatever their size ({dtype})" {
                for scale in [ 1e-12; 1.0; 1e12 ] do
                    let factors = vectors 3L dtype 12 30
                    let rows = scale * Tensor.matmul factors (vectors 4L dtype 300 12)
                    let basis = OrthonormalBasis(300, dtype)
                    let extensions = extend basis 8 rows
                    Expect.equal $"{scale}" 12 basis.Rank

                    Expect.isTrue
                        "extensions |> List.map (fun e -…"
                        (extensions |> List.map (fun e -> e.Kept.Length) = [ 8; 4; 0; 0 ])

                    Expect.isTrue "basis.Contains(Tensor.slice 0 2…" (basis.Contains(Tensor.slice 0 20 1 rows))
                    Expect.isFalse "basis.Contains(scale * vectors…" (basis.Contains(scale * vectors 5L dtype 300 1))
            }

        test "zeros and repeated vectors add nothing" {
            let basis = OrthonormalBasis(5, DType.Float64)

            Expect.equal
                "(basis.Extend(Tensor.zeros DTyp…"
                0
                (basis.Extend(Tensor.zeros DType.Float64 [ 3; 5 ])).Kept.Length

            Expect.equal "basis.Rank" 0 basis.Rank
            let row = tensor [ [ 0.0; 3.0; 0.0; 4.0; 0.0 ] ]
            let extension = basis.Extend(Tensor.concat 0 [ Tensor.zerosLike row; row; row; 1e-9 * row ])
            Expect.isTrue "extension.Kept = [ 1 ]" (extension.Kept = [ 1 ])
            Expect.tensor 1e-15 [ 1; 5 ] [ 0.0; 0.6; 0.0; 0.8; 0.0 ] extension.Vectors
            Expect.within "extension.Coefficients[0, 0]" 1e-14 5.0 extension.Coefficients[0, 0]
        }

        test "more vectors than dimensions give a full basis" {
            let basis = OrthonormalBasis(10, DType.Float64)
            extend basis 4 (vectors 6L DType.Float64 10 25) |> ignore
            Expect.equal "basis.Rank" 10 basis.Rank
            Expect.isLessThan "defect basis.Panels" (defect basis.Panels, 1e-14)
        }

        test "products of long float32 vectors keep the digits of their numbers" {
            let n = 1_000_000
            let a = Tensor.full DType.Float32 [ 2; n ] 0.1
            let exact = float 0.1f * float 0.1f * float n
            let products = Rows.products a a
            Expect.within "products[1, 0]" (1e-12 * exact) exact products[1, 0]
        }

        test "a Cholesky factor, its inverse and a pseudoinverse are what they are called" {
            let a = Matrices.semidefinite 7 6
            let matrix = SmallMatrices.ofRows 6 6 (a.ToArray())
            let struct (l, pivot) = (SmallMatrices.tryCholesky matrix).Value
            Expect.isLessThan "(l * l.Transpose() - matrix).L2…" ((l * l.Transpose() - matrix).L2Norm(), 1e-13)
            Expect.inRange "pivot" 1e-6 1.0 pivot

            Expect.isLessThan
                "(l * SmallMatrices.invertLower…"
                ((l * SmallMatrices.invertLower l - identity 6).L2Norm(), 1e-12)

            Expect.isTrue "(SmallMatrices.tryCholesky (-1.…" (SmallMatrices.tryCholesky (-1.0 * matrix)).IsNone
            let thin = SmallMatrices.ofRows 2 3 [| 1.0; 2.0; 2.0; 2.0; 4.0; 4.0 |]
            let inverse = SmallMatrices.pseudoInverse 1e-12 thin
            Expect.isLessThan "(thin * inverse * thin - thin).…" ((thin * inverse * thin - thin).L2Norm(), 1e-13)
            Expect.isLessThan "(inverse - thin.Transpose() / 4…" ((inverse - thin.Transpose() / 45.0).L2Norm(), 1e-14)
        }
    ]
