module Curvature.Tests.Properties.OperatorLaws

open System
open FsCheck
open FsCheck.FSharp
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

/// An operator and the matrix that it ought to be.
[<NoComparison; NoEquality>]
type OperatorCase =
    {
        Operator: LinearOperator
        Matrix: Tensor
    }

    override this.ToString() = $"{this.Operator} for {this.Matrix}"

module OperatorCases =

    let private entries count : Gen<float[]> =
        Gen.choose (-8, 8) |> Gen.map (fun i -> float i / 4.0) |> Gen.arrayOfLength count

    let private matrix rows columns = entries (rows * columns) |> Gen.map (Tensor.ofArray [ rows; columns ])
    let private symmetric n = matrix n n |> Gen.map (fun a -> a + Tensor.transpose a)
    let private case operator matrix = { Operator = operator; Matrix = matrix }

    /// Operators that are not made of others, of every kind.
    let private leaf rows columns : Gen<OperatorCase> =
        let ofMatrix = matrix rows columns |> Gen.map (fun a -> case (LinearOperator.ofMatrix a) a)

        let ofFunction =
            matrix rows columns
            |> Gen.map (fun a -> case (LinearOperator.ofFunction DType.Float64 rows columns (Tensor.matmul a)) a)

        let zero =
            Gen.constant (
                case (LinearOperator.zero DType.Float64 rows columns) (Tensor.zeros DType.Float64 [ rows; columns ])
            )

        let square =
            gen {
                let! d = entries rows |> Gen.map (Tensor.ofArray [ rows ])
                let! a = symmetric rows
                let! u = matrix rows 2
                let! c = entries 2 |> Gen.map (Tensor.ofArray [ 2 ])
                let! lambda = Gen.choose (-3, 3) |> Gen.map float
                let eye = Tensor.eye DType.Float64 rows

                return!
                    Gen.elements [
                        case (LinearOperator.ofDiagonal d) (eye * d)
                        case (LinearOperator.ofSymmetricMatrix a) a
                        case (LinearOperator.scalar DType.Float64 rows lambda) (lambda * eye)
                        case
                            (LinearOperator.lowRankPlusDiagonal d u c)
                            (eye * d + Tensor.matmul (u * c) (Tensor.transpose u))
                    ]
            }

        if rows = columns then
            Gen.oneof [ ofMatrix; ofFunction; zero; square; square ]
        else
            Gen.oneof [ ofMatrix; ofFunction; zero ]

    let private cut (firstRow, rows) (firstColumn, columns) (a: Tensor) =
        a |> Tensor.slice 0 firstRow rows |> Tensor.slice 1 firstColumn columns

    let rec private sized depth rows columns : Gen<OperatorCase> =
        if depth = 0 then
            leaf rows columns
        else
            let smaller = sized (depth - 1)

            let sum =
                Gen.map2
                    (fun a b -> case (a.Operator + b.Operator) (a.Matrix + b.Matrix))
                    (smaller rows columns)
                    (smaller rows columns)

            let difference =
                Gen.map2
                    (fun a b -> case (a.Operator - b.Operator) (a.Matrix - b.Matrix))
                    (smaller rows columns)
                    (smaller rows columns)

            let product =
                gen {
                    let! inner = Gen.choose (1, 4)
                    let! a = smaller rows inner
                    let! b = smaller inner columns
                    return case (a.Operator * b.Operator) (Tensor.matmul a.Matrix b.Matrix)
                }

            let scaled =
                Gen.map2
                    (fun c a -> case (float c * a.Operator) (float c * a.Matrix))
                    (Gen.choose (-3, 3))
                    (smaller rows columns)

            let transposed =
                smaller columns rows |> Gen.map (fun a -> case a.Operator.Transposed (Tensor.transpose a.Matrix))

            let part =
                gen {
                    let! above = Gen.choose (0, 2)
                    let! below = Gen.choose (0, 2)
                    let! left = Gen.choose (0, 2)
                    let! right = Gen.choose (0, 2)
                    let! a = smaller (above + rows + below) (left + columns + right)
                    let operator = LinearOperator.submatrix (above, rows) (left, columns) a.Operator
                    return case operator (cut (above, rows) (left, columns) a.Matrix)
                }

            let blocks =
                gen {
                    let! firstRows = Gen.choose (1, max 1 (rows - 1))
                    let! firstColumns = Gen.choose (1, max 1 (columns - 1))
                    let! a = smaller firstRows firstColumns
                    let! b = smaller (rows - firstRows) (columns - firstColumns)
                    let top = Tensor.pad 1 0 (columns - firstColumns) a.Matrix
                    let bottom = Tensor.pad 1 firstColumns 0 b.Matrix

                    return
                        case (LinearOperator.blockDiagonal [ a.Operator; b.Operator ]) (Tensor.concat 0 [ top; bottom ])
                }

            let squareOnly =
                [
                    smaller rows rows
                    |> Gen.map (fun a ->
                        case (LinearOperator.shift 2.0 a.Operator) (a.Matrix + 2.0 * Tensor.eye DType.Float64 rows))
                    smaller rows rows
                    |> Gen.map (fun a ->
                        case (LinearOperator.symmetricPart a.Operator) (0.5 * (a.Matrix + Tensor.transpose a.Matrix)))
                    smaller 3 rows
                    |> Gen.map (fun a ->
                        case (LinearOperator.gram a.Operator) (Tensor.matmul (Tensor.transpose a.Matrix) a.Matrix))
                    smaller (rows + 2) (rows + 2)
                    |> Gen.map (fun a ->
                        case (LinearOperator.block 1 rows a.Operator) (cut (1, rows) (1, rows) a.Matrix))
                ]

            Gen.oneof (
                [ leaf rows columns; sum; difference; product; scaled; transposed; part ]
                @ (if rows > 1 && columns > 1 then [ blocks ] else [])
                @ (if rows = columns then squareOnly else [])
            )

    let any: Gen<OperatorCase> =
        gen {
            let! rows = Gen.choose (1, 5)
            let! columns = Gen.choose (1, 5)
            let! isSquare = Gen.elements [ true; false ]
            let! depth = Gen.choose (0, 3)
            return! sized depth rows (if isSquare then rows else columns)
        }

/// Random operators, made of every kind of part.
type OperatorArbitraries =
    static member Case() : Arbitrary<OperatorCase> = Arb.fromGen OperatorCases.any

let private block seed k n =
    let random = Random seed
    Array.init (k * n) (fun _ -> 2.0 * random.NextDouble() - 1.0) |> Tensor.ofArray [ k; n ]

let private law name property = lawOver [ typeof<OperatorArbitraries> ] 150 name property

[<Tests>]
let tests =
    testList "Properties.OperatorLaws" [
        law "an operator made of others is the matrix made of theirs" (fun (case: OperatorCase) ->
            Expect.tensorsClose 1e-11 case.Matrix (LinearOperator.dense case.Operator))

        law
            "the transpose of an operator is the transpose of its matrix, and that of the transpose the operator"
            (fun (case: OperatorCase) ->
                Expect.tensorsClose
                    1e-11
                    (Tensor.transpose case.Matrix)
                    (LinearOperator.dense case.Operator.Transposed)

                Expect.tensorsClose 1e-11 case.Matrix (LinearOperator.dense case.Operator.Transposed.Transposed))

        law "a block is multiplied as its rows are" (fun (case: OperatorCase) (seed: int) ->
            let z = block seed 3 case.Operator.Columns
            let rows = [ for row in 0..2 -> case.Operator.Apply(Tensor.item 0 row z) ]
            Expect.tensorsClose 1e-12 (Tensor.stack 0 rows) (case.Operator.Apply z))

        law "quadratic forms are those of the product" (fun (case: OperatorCase) (seed: int) ->
            match case.Operator.QuadraticForms with
            | None -> ()
            | Some forms ->
                let z = block seed 4 case.Operator.Columns
                Expect.tensorsClose 1e-11 (Tensor.sumAxes [ 1 ] (z * case.Operator.Apply z)) (forms z))

        law
            "what is claimed symmetric is, and what is claimed semidefinite has no negative form"
            (fun (case: OperatorCase) (seed: int) ->
                if case.Operator.IsSymmetric then
                    Expect.tensorsClose 1e-11 case.Matrix (Tensor.transpose case.Matrix)

                if case.Operator.IsPositiveSemidefinite then
                    let z = block seed 8 case.Operator.Columns
                    let forms = Tensor.sumAxes [ 1 ] (z * case.Operator.Apply z) |> _.ToArray()
                    Expect.isTrue $"forms %A{forms}" (forms |> Array.forall (fun form -> form >= -1e-10)))

        law
            "the transpose of a sum is the sum of transposes, and of a product the product in the other order"
            (fun (case: OperatorCase) (seed: int) ->
                let a = case.Operator
                let b = LinearOperator.ofMatrix (block seed a.Rows a.Columns)
                let u = block (seed + 1) 2 a.Rows
                Expect.tensorsClose 1e-11 ((a.Transposed + b.Transposed).Apply u) ((a + b).Transposed.Apply u)
                let product = a * b.Transposed
                Expect.tensorsClose 1e-11 ((b * a.Transposed).Apply u) (product.Transposed.Apply u))

        law "exact diagonals, traces and norms are those of the matrix" (fun (case: OperatorCase) ->
            let values = case.Matrix.ToArray()
            let norm = values |> Array.sumBy (fun x -> x * x) |> sqrt
            Expect.close 1e-11 [| norm |] [| (Exact.frobenius case.Operator).Value |]

            if case.Operator.IsSquare then
                Expect.close 1e-11 (Matrices.diagonal case.Matrix) ((Exact.diagonal case.Operator).Value.ToArray())
                Expect.close 1e-11 [| Matrices.trace case.Matrix |] [| (Exact.trace case.Operator).Value |])

        law "a diagnosis finds nothing wrong with what is made of sound parts" (fun (case: OperatorCase) ->
            let diagnosis = Diagnose.run DiagnoseOptions.Default case.Operator
            Expect.isTrue (string diagnosis) diagnosis.IsHealthy)

        law "a diagnosis finds a claim of symmetry that is false" (fun (case: OperatorCase) ->
            let asymmetry () = case.Matrix - Tensor.transpose case.Matrix

            if
                case.Operator.IsSquare
                && (Tensor.norm (asymmetry ())).ToScalar() > 1e-3 * (Tensor.norm case.Matrix).ToScalar()
            then
                let claimed = LinearOperator.claim OperatorProperties.Symmetric case.Operator
                let diagnosis = Diagnose.run DiagnoseOptions.Default claimed
                Expect.isTrue (string diagnosis) (diagnosis.Symmetry.Outcome = CheckOutcome.Failed))
    ]
