/// Which entries of derivatives may differ from 0, for functions whose answer is known.
module Curvature.Tests.Unit.SparsityTests

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private point (shape: int list) = Tensor.normal (Key.OfSeed 1L) DType.Float64 shape

/// A pattern as rows of 1 and 0.
let private drawn (pattern: SparsityPattern) =
    [
        for row in 0 .. pattern.Rows - 1 ->
            System.String [|
                for column in 0 .. pattern.Columns - 1 -> if pattern.Contains(row, column) then '1' else '0'
            |]
    ]

let private jacobian f shape = drawn (Sparsity.jacobian f (point shape))
let private hessian f shape = drawn (Sparsity.hessian f (point shape))

/// Neighbours of a vector: all but the last, and all but the first.
let private neighbours (x: Tensor) =
    let n = x.Shape[0]
    Tensor.slice 0 0 (n - 1) x, Tensor.slice 0 1 (n - 1) x

/// The chained Rosenbrock function Σ 100(xᵢ₊₁ − xᵢ²)² + (1 − xᵢ)².
let private rosenbrock (x: Tensor) =
    let left, right = neighbours x
    Tensor.sum (100.0 * (right - left * left) ** 2.0 + (1.0 - left) ** 2.0)

[<Tests>]
let tests =
    testList "Unit.SparsityTests" [
        test "elementwise functions have diagonals, and products of neighbours two of them" {
            Expect.equal "sin" [ "100"; "010"; "001" ] (jacobian sin [ 3 ])
            let left, right = fst << neighbours, snd << neighbours
            Expect.equal "products" [ "1100"; "0110"; "0011" ] (jacobian (fun x -> left x * right x) [ 4 ])
            Expect.equal "differences" [ "1100"; "0110"; "0011" ] (jacobian (fun x -> right x - left x) [ 4 ])
        }

        test "the Hessian of the chained Rosenbrock function is tridiagonal" {
            Expect.equal "rosenbrock" [ "11000"; "11100"; "01110"; "00111"; "00011" ] (hessian rosenbrock [ 5 ])
        }

        test "a linear function has no Hessian, a product no diagonal, a square nothing else" {
            Expect.equal "linear" [ "00"; "00" ] (hessian (fun x -> Tensor.sum (3.0 * x)) [ 2 ])
            Expect.equal "product" [ "01"; "10" ] (hessian (fun x -> x[0] * x[1]) [ 2 ])
            Expect.equal "square" [ "10"; "01" ] (hessian (fun x -> Tensor.sum (x * x)) [ 2 ])
            Expect.equal "of a sum" [ "11"; "11" ] (hessian (fun x -> Tensor.sum x ** 2.0) [ 2 ])
            Expect.equal "constant" [ "00"; "00" ] (hessian (fun x -> Tensor.scalar x.DType 2.0) [ 2 ])
        }

        test "an arrow, from a product of one element with all others" {
            let f (x: Tensor) = x[0] * Tensor.sum (Tensor.slice 0 1 3 x) + Tensor.sum (x ** 4.0)
            Expect.equal "arrow" [ "1111"; "1100"; "1010"; "1001" ] (hessian f [ 4 ])
        }

        test "all branches of choices count" {
            let first (x: Tensor) = Tensor.maximum x[0] (x[1] * x[1])
            Expect.equal "maximum" [ "00"; "01" ] (hessian first [ 2 ])
            let choose (x: Tensor) = Tensor.where (Tensor.greater x[0] 0.0) (x[1] * x[2]) (x[0] ** 3.0)
            Expect.equal "where" [ "100"; "001"; "010" ] (hessian choose [ 3 ])
            Expect.equal "of the values" [ "111" ] (jacobian (fun x -> Tensor.reshape [ 1 ] (choose x)) [ 3 ])
            Expect.equal "largest" [ "1111" ] (jacobian (fun x -> Tensor.reshape [ 1 ] (Tensor.max x)) [ 4 ])
        }

        test "the steps of comparisons are nothing, and so is what stops the gradient" {
            Expect.equal
                "greater"
                [ "000" ]
                (jacobian (fun x -> Tensor.greater x[0] x[1] |> Tensor.reshape [ 1 ]) [ 3 ])

            Expect.equal "floor" [ "00"; "00" ] (jacobian floor [ 2 ])
            Expect.equal "stopped" [ "01"; "01" ] (jacobian (fun x -> Tensor.stopGradient x * x[1]) [ 2 ])
        }

        test "what is declared constant stays constant in second derivatives" {
            let f (x: Tensor) = Tensor.stopGradient x[0] * x[1] * x[1]
            Expect.equal "stopped" [ "00"; "01" ] (hessian f [ 2 ])
        }

        test "known indices pick, and computed ones may be any of their axis" {
            let index = Tensor.ofIndices [ 3 ] [| 2; 0; 2 |]
            Expect.equal "take" [ "001"; "100"; "001" ] (jacobian (Tensor.take 0 index) [ 3 ])

            Expect.equal "scatter" [ "010"; "000"; "101" ] (jacobian (fun x -> Tensor.scatterAdd 0 3 index x) [ 3 ])

            Expect.equal "sorted" [ "111"; "111"; "111" ] (jacobian (Tensor.sort 0) [ 3 ])

            let rows (x: Tensor) = Tensor.maxAxes [ 1 ] (Tensor.reshape [ 2; 2 ] x)
            Expect.equal "rows" [ "1100"; "0011" ] (jacobian rows [ 4 ])
        }

        test "a pool depends on its windows alone" {
            let pool (x: Tensor) =
                Nhwc.maxPool2d (1, 2) (Sliding.Default.WithStride(1, 2)) (Tensor.reshape [ 1; 1; 4; 1 ] x)
                |> Tensor.reshape [ 2 ]

            Expect.equal "largest" [ "1100"; "0011" ] (jacobian pool [ 4 ])

            Expect.equal
                "of squares"
                [ "1000"; "0100"; "0010"; "0001" ]
                (hessian (fun x -> Tensor.sum (pool (x * x))) [ 4 ])
        }

        test "zeros of constants are no entries" {
            let matrix = tensor [ [ 2.0; 1.0; 0.0 ]; [ 1.0; 3.0; 0.0 ]; [ 0.0; 0.0; 1.0 ] ]
            let form (x: Tensor) = Tensor.dot x (Tensor.matmul matrix x)
            Expect.equal "quadratic form" [ "110"; "110"; "001" ] (hessian form [ 3 ])
            Expect.equal "linear map" [ "110"; "110"; "001" ] (jacobian (Tensor.matmul matrix) [ 3 ])
            let mask = tensor [ 1.0; 0.0; 1.0 ]
            let deep (x: Tensor) = Tensor.sum (exp (mask * sin x))
            Expect.equal "masked" [ "100"; "000"; "001" ] (hessian deep [ 3 ])
            Expect.equal "where" [ "100"; "000"; "001" ] (jacobian (fun x -> Tensor.where mask x (0.0 * x)) [ 3 ])
            let every = tensor [ 1.0; 0.0; 1.0; 0.0 ]
            let either (x: Tensor) = Tensor.where every x (Tensor.reverse 0 x)
            Expect.equal "either" [ "1000"; "0010"; "0010"; "1000" ] (jacobian either [ 4 ])
        }

        test "sums up to each element have triangles" {
            Expect.equal "cumulative" [ "100"; "110"; "111" ] (jacobian (Tensor.cumulativeSum 0) [ 3 ])
            let times (x: Tensor) = x[1] * Tensor.cumulativeSum 0 x
            Expect.equal "a range within a range" [ "1100"; "1100"; "1110"; "1111" ] (jacobian times [ 4 ])
        }

        test "a convolution has a band" {
            let filters = Tensor.ofArray [ 1; 3; 1; 1 ] [| 1.0; 0.0; 2.0 |]

            let convolve (x: Tensor) =
                Nhwc.conv2d Sliding.Default filters (Tensor.reshape [ 1; 1; 5; 1 ] x) |> Tensor.reshape [ 3 ]

            Expect.equal "one filter element is 0" [ "10100"; "01010"; "00101" ] (jacobian convolve [ 5 ])
        }

        test "decompositions depend on all that they are given" {
            let f (x: Tensor) = Tensor.det (Tensor.reshape [ 2; 2 ] x + 3.0 * Tensor.eye DType.Float64 2)
            Expect.equal "det" [ "1111" ] (jacobian (fun x -> Tensor.reshape [ 1 ] (f x)) [ 4 ])
            let b = point [ 2 ]
            let solve (x: Tensor) = Tensor.solve (tensor [ [ 2.0; 1.0 ]; [ 0.0; 1.0 ] ]) (x * b)
            Expect.equal "solve" [ "11"; "11" ] (jacobian solve [ 2 ])
        }

        test "a function that asks for values has the pattern of its branch" {
            let f (x: Tensor) = if x[0].ToScalar() > 0.0 then x[0] * x[1] else x[1] * x[2]
            let at first = drawn (Sparsity.hessian f (tensor [ first; 1.0; 1.0 ]))
            Expect.equal "above" [ "010"; "100"; "000" ] (at 1.0)
            Expect.equal "below" [ "000"; "001"; "010" ] (at -1.0)
        }

        test "rows of a Jacobian may be empty, and there may be none" {
            let f (x: Tensor) = Tensor.concat 0 [ Tensor.slice 0 0 1 x; tensor [ 5.0 ]; Tensor.slice 0 2 1 x ]
            Expect.equal "an empty row" [ "100"; "000"; "001" ] (jacobian f [ 3 ])
            Expect.equal "no row" [] (jacobian (Tensor.slice 0 0 0) [ 3 ])
            Expect.equal "no column" [ ""; "" ] (jacobian (fun x -> tensor [ 1.0; 2.0 ] + Tensor.sum x) [ 0 ])
        }

        test "a pattern of 100,000 elements takes ranges, not bits" {
            let n = 100_000
            let x = Tensor.zeros DType.Float32 [ n ]
            let pattern = Sparsity.hessian rosenbrock x
            Expect.equal "entries" (3 * n - 2) pattern.Count
            Expect.equal "a row" [| 499; 500; 501 |] (pattern.Row 500)
            // Every element depends on all: one range each.
            let sums = Sparsity.jacobian (fun x -> Tensor.reshape [ 1 ] (Tensor.sum (Tensor.softmax x))) x
            Expect.equal "one row" n sums.Count
        }

        test "patterns say what they are" {
            let pattern = Sparsity.jacobian (fun x -> fst (neighbours x) * snd (neighbours x)) (point [ 3 ])
            Expect.equal "text" "pattern of 2 by 3 with 4 entries\n●●·\n·●●" (string pattern)
            Expect.equal "transposed" [ "10"; "11"; "01" ] (drawn pattern.Transposed)
            Expect.equal "row" [| 1; 2 |] (pattern.Row 1)
            Expect.error<ArgumentRangeException> [ "row 2"; "there are 2" ] (fun () -> pattern.Row 2 |> ignore)
            Expect.error<ArgumentRangeException> [ "column -1" ] (fun () -> pattern.Contains(0, -1) |> ignore)
        }

        test "bad points and functions are refused" {
            Expect.error<DTypeException> [ "Int32" ] (fun () ->
                Sparsity.jacobian id (Tensor.ofIndices [ 2 ] [| 1; 2 |]) |> ignore)

            Expect.error<ShapeException> [ "scalar" ] (fun () -> Sparsity.hessian sin (point [ 2 ]) |> ignore)

            Expect.error<ArgumentRangeException> [ "10000000000"; "need no pattern" ] (fun () ->
                Sparsity.hessian (fun x -> Tensor.sum x ** 2.0) (Tensor.zeros DType.Float64 [ 100_000 ]) |> ignore)

            let inside (x: Tensor) =
                Sparsity.jacobian sin x |> ignore
                Tensor.sum x

            Expect.error<DifferentiationException> [ "transformation" ] (fun () -> grad inside (point [ 2 ]) |> ignore)
        }
    ]
