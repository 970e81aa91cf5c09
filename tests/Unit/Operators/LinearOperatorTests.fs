module Curvature.Tests.Unit.LinearOperatorTests

open System
open System.Threading.Tasks
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private a = Matrices.random 1 3 5
let private square = Matrices.random 2 4 4
let private symmetric = Matrices.symmetric 3 4

let private same (expected: Tensor) (operator: LinearOperator) =
    Expect.tensorsClose 1e-13 expected (LinearOperator.dense operator)

[<Tests>]
let tests =
    testList "Unit.LinearOperatorTests" [
        test "an operator of a matrix multiplies vectors and blocks, and so does its transpose" {
            let operator = LinearOperator.ofMatrix a
            let v, block = Tensor.ofArray [ 5 ] [| 1.0 .. 5.0 |], Matrices.random 4 7 5
            Expect.tensorsClose 1e-14 (Tensor.matmul a v) (operator.Apply v)
            Expect.tensorsClose 1e-14 (Tensor.matmul block (Tensor.transpose a)) (operator.Apply block)
            same a operator
            same (Tensor.transpose a) operator.Transposed
            same a operator.Transposed.Transposed
        }

        test "symmetry of a matrix is noticed, not assumed" {
            Expect.isTrue "LinearOperator.ofMatrix(symmetr…" (LinearOperator.ofMatrix(symmetric).IsSymmetric)
            Expect.isFalse "LinearOperator.ofMatrix(square)…" (LinearOperator.ofMatrix(square).IsSymmetric)
            Expect.isFalse "LinearOperator.ofMatrix(a).IsSy…" (LinearOperator.ofMatrix(a).IsSymmetric)
        }

        test "a matrix that is claimed to be symmetric and is not raises an error" {
            let nearly = symmetric + 1e-15 * square
            Expect.isTrue "LinearOperator.ofSymmetricMatri…" (LinearOperator.ofSymmetricMatrix(nearly).IsSymmetric)

            Expect.error<OperatorException> [ "ofSymmetricMatrix"; "[4; 4]" ] (fun () ->
                LinearOperator.ofSymmetricMatrix square |> ignore)
        }

        test "a linear function of tensors brings its transpose along" {
            let f (v: Tensor) = Tensor.matmul a v |> Tensor.reverse 0
            let operator = LinearOperator.ofFunction DType.Float64 3 5 f
            let expected = Tensor.reverse 0 a
            same expected operator
            same (Tensor.transpose expected) operator.Transposed
        }

        test "a delegate multiplies arrays" {
            let product (v: float[]) = [| v[0] + 2.0 * v[1]; 3.0 * v[1]; -v[0] |]
            let operator = LinearOperator.ofDelegate DType.Float32 3 2 product
            let dense = LinearOperator.dense operator
            Expect.tensor 0.0 [ 3; 2 ] [ 1.0; 2.0; 0.0; 3.0; -1.0; 0.0 ] dense
            Expect.equal "dense.DType" DType.Float32 dense.DType
            Expect.error<OperatorException> [ "transpose" ] (fun () -> operator.Transposed |> ignore)

            let transposed =
                operator |> LinearOperator.withDelegateTranspose (fun u -> [| u[0] - u[2]; 2.0 * u[0] + 3.0 * u[1] |])

            Expect.tensorsClose 0.0 (Tensor.transpose dense) (LinearOperator.dense transposed.Transposed)
        }

        test "a delegate that returns too few numbers raises an error" {
            let operator = LinearOperator.ofDelegate DType.Float64 3 2 id

            Expect.error<ShapeException> [ "delegate"; "[3]"; "[2]" ] (fun () ->
                operator.Apply(Tensor.zeros DType.Float64 [ 2 ]) |> ignore)
        }

        test "vectors that do not fit raise errors that say what was expected and what came" {
            let operator = LinearOperator.ofMatrix a
            let apply shape dtype () = operator.Apply(Tensor.ones dtype shape) |> ignore
            Expect.error<ShapeException> [ "[5]"; "[k; 5]"; "[4]" ] (apply [ 4 ] DType.Float64)
            Expect.error<ShapeException> [ "[5; 3]" ] (apply [ 5; 3 ] DType.Float64)
            Expect.error<ShapeException> [ "[]" ] (apply [] DType.Float64)
            Expect.error<DTypeException> [ "Float64"; "Float32" ] (apply [ 5 ] DType.Float32)
        }

        test "operators that do not fit raise errors" {
            let wide, tall = LinearOperator.ofMatrix a, LinearOperator.ofMatrix (Tensor.transpose a)
            let single = LinearOperator.identity DType.Float32 5
            Expect.error<ShapeException> [ "[3; 5]"; "[5; 3]" ] (fun () -> wide + tall |> ignore)
            Expect.error<ShapeException> [ "[5]"; "[3]" ] (fun () -> wide * wide |> ignore)
            Expect.error<DTypeException> [ "Float32"; "Float64" ] (fun () -> wide * single |> ignore)
            Expect.error<OperatorException> [ "shift"; "[3; 5]" ] (fun () -> LinearOperator.shift 1.0 wide |> ignore)
            Expect.error<ArgumentRangeException> [ "NaN" ] (fun () -> nan * wide |> ignore)

            Expect.error<ArgumentRangeException> [ "submatrix"; "4 rows from 0" ] (fun () ->
                LinearOperator.submatrix (0, 4) (0, 1) wide |> ignore)

            Expect.error<ArgumentRangeException> [ "blockDiagonal" ] (fun () ->
                LinearOperator.blockDiagonal [] |> ignore)
        }

        test "a product that is not finite is reported" {
            let operator = LinearOperator.ofDelegate DType.Float64 2 2 (fun v -> [| v[0]; v[1] / 0.0 |])
            let apply () = operator.Apply(Tensor.ofArray [ 2 ] [| 1.0; -1.0 |]) |> ignore
            Expect.error<NonFiniteException> [ "delegate"; "the vector is -infinity at element 1" ] apply
        }

        test "a matrix with NaN is refused" {
            let broken = Tensor.ofArray [ 2; 2 ] [| 1.0; nan; 0.0; 1.0 |]

            Expect.error<NonFiniteException> [ "ofMatrix"; "NaN at element 1" ] (fun () ->
                LinearOperator.ofMatrix broken |> ignore)
        }

        test "large products that overflow only in their sum are finite" {
            let operator = LinearOperator.identity DType.Float32 2
            let large = Tensor.full DType.Float32 [ 2 ] 3e38
            Expect.tensorsClose 0.0 large (operator.Apply large)
        }

        test "claims follow the algebra" {
            let psd =
                LinearOperator.ofMatrix (Matrices.semidefinite 5 4)
                |> LinearOperator.claim OperatorProperties.PositiveSemidefinite

            let plain, sym = LinearOperator.ofMatrix square, LinearOperator.ofMatrix symmetric
            let properties (operator: LinearOperator) = operator.Properties
            Expect.equal "properties (psd + psd)" OperatorProperties.PositiveSemidefinite (properties (psd + psd))
            Expect.equal "properties (2.0 * psd)" OperatorProperties.PositiveSemidefinite (properties (2.0 * psd))
            Expect.equal "properties (-psd)" OperatorProperties.Symmetric (properties (-psd))
            Expect.equal "properties (psd - psd)" OperatorProperties.Symmetric (properties (psd - psd))
            Expect.equal "properties (psd + sym)" OperatorProperties.Symmetric (properties (psd + sym))
            Expect.equal "properties (psd + plain)" OperatorProperties.None (properties (psd + plain))
            Expect.equal "properties (psd * psd)" OperatorProperties.None (properties (psd * psd))

            Expect.equal
                "properties (LinearOperator.shif…"
                OperatorProperties.PositiveSemidefinite
                (properties (LinearOperator.shift 1.0 psd))

            Expect.equal
                "properties (LinearOperator.shif…"
                OperatorProperties.Symmetric
                (properties (LinearOperator.shift -1.0 psd))

            Expect.equal
                "properties (LinearOperator.bloc…"
                OperatorProperties.PositiveSemidefinite
                (properties (LinearOperator.block 1 2 psd))

            Expect.equal
                "properties (LinearOperator.subm…"
                OperatorProperties.None
                (properties (LinearOperator.submatrix (0, 2) (1, 2) psd))

            Expect.equal
                "properties (LinearOperator.bloc…"
                OperatorProperties.Symmetric
                (properties (LinearOperator.blockDiagonal [ psd; sym ]))

            Expect.equal
                "properties (LinearOperator.gram…"
                OperatorProperties.PositiveSemidefinite
                (properties (LinearOperator.gram plain))

            Expect.equal
                "properties (LinearOperator.symm…"
                OperatorProperties.Symmetric
                (properties (LinearOperator.symmetricPart plain))
        }

        test "low rank plus diagonal is what it says" {
            let d, u, c =
                Tensor.ofArray [ 4 ] [| 1.0; -2.0; 3.0; 0.5 |],
                Matrices.random 6 4 2,
                Tensor.ofArray [ 2 ] [| 2.0; 5.0 |]

            let operator = LinearOperator.lowRankPlusDiagonal d u c
            let expected = Tensor.eye DType.Float64 4 * d + Tensor.matmul (u * c) (Tensor.transpose u)
            same expected operator
            Expect.equal "operator.Properties" OperatorProperties.Symmetric operator.Properties

            Expect.isTrue
                "LinearOperator.lowRankPlusDiago…"
                (LinearOperator.lowRankPlusDiagonal (Tensor.square d) u c |> _.IsPositiveSemidefinite)
        }

        test "a matrix too large to write out is refused" {
            let operator = LinearOperator.identity DType.Float32 100_000

            Expect.error<ArgumentRangeException> [ "10000000000"; string LinearOperator.denseLimit ] (fun () ->
                LinearOperator.dense operator |> ignore)

            Expect.error<ArgumentRangeException> [ "9"; "8" ] (fun () ->
                LinearOperator.identity DType.Float32 3 |> LinearOperator.denseWithin 8L |> ignore)
        }

        test "products from several threads agree to the bit" {
            let operator = LinearOperator.ofMatrix symmetric + LinearOperator.identity DType.Float64 4
            let v = Tensor.ofArray [ 4 ] [| 0.1; 0.2; 0.3; 0.4 |]
            let expected = operator.Apply v
            Parallel.For(0, 200, (fun _ -> Expect.sameBits expected (operator.Apply v))) |> ignore
        }

        test "operators of no rows or columns are made, combined and written out as their matrices are" {
            let zero rows columns = LinearOperator.zero DType.Float64 rows columns
            let matrix rows columns = LinearOperator.ofMatrix (Tensor.zeros DType.Float64 [ rows; columns ])

            for operator, rows, columns in
                [
                    zero 0 0, 0, 0
                    matrix 0 3, 0, 3
                    matrix 3 0 * matrix 0 2, 3, 2
                    LinearOperator.gram (matrix 0 3), 3, 3
                    LinearOperator.block 2 0 (matrix 4 4), 0, 0
                    LinearOperator.submatrix (1, 2) (3, 0) (matrix 4 4), 2, 0
                    LinearOperator.blockDiagonal [ zero 0 2; zero 1 0 ], 1, 2
                    LinearOperator.damped 0.0 (matrix 0 0), 0, 0
                    LinearOperator.ofDiagonal (Tensor.zeros DType.Float64 [ 0 ]), 0, 0
                    LinearOperator.lowRankPlusDiagonal
                        (Tensor.zeros DType.Float64 [ 3 ])
                        (Tensor.zeros DType.Float64 [ 3; 0 ])
                        (Tensor.zeros DType.Float64 [ 0 ]),
                    3,
                    3
                ] do
                let dense = LinearOperator.dense operator
                Expect.tensorsClose 0.0 (Tensor.zeros DType.Float64 [ rows; columns ]) dense

                Expect.equal
                    "(operator.Apply(Tensor.ones DTy…"
                    [| 2; rows |]
                    (operator.Apply(Tensor.ones DType.Float64 [ 2; columns ])).Shape

                Expect.equal
                    "(operator.Apply(Tensor.ones DTy…"
                    [| 0; rows |]
                    (operator.Apply(Tensor.ones DType.Float64 [ 0; columns ])).Shape

                if operator.IsSquare then
                    Expect.equal
                        "(operator.QuadraticForm(Tensor.…"
                        [| 2 |]
                        (operator.QuadraticForm(Tensor.ones DType.Float64 [ 2; columns ])).Shape
        }
    ]
