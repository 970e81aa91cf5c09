/// Wrong use of derivatives raises an error that names what was expected and what came.
module Curvature.Tests.Unit.MisuseTests

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private point = tensor [ 1.0; 2.0; 3.0 ]
let private indices = tensor [ 1; 2; 3 ]
let private single = Tensor.convert DType.Float32 point

/// Keeps the argument of the function while something is done with it.
let private escaped (transform: (Tensor -> Tensor) -> unit) =
    let mutable kept = Unchecked.defaultof<Tensor>

    transform (fun x ->
        kept <- x
        x * x)

    kept

[<Tests>]
let tests =
    testList "Unit.MisuseTests" [
        test "a tensor kept from inside a derivative says that it escaped" {
            let scalar = Tensor.scalar DType.Float64 2.0

            let ways: ((Tensor -> Tensor) -> unit) list =
                [
                    (fun f -> jacobianv f scalar scalar |> ignore)
                    (fun f -> grad f scalar |> ignore)
                    (fun f -> linearize f scalar |> ignore)
                    (fun f -> quadraticForm f scalar scalar |> ignore)
                    (fun f -> vmap f point |> ignore)
                ]

            for way in ways do
                let kept = escaped way
                Expect.raises<DifferentiationException> [ "Add"; "escaped" ] (fun () -> kept + scalar)
                // A later derivative at the same depth is no reason to take it for one of its own.
                Expect.raises<DifferentiationException> [ "Multiply"; "escaped" ] (fun () ->
                    grad (fun x -> x * kept) scalar)

                Expect.raises<DifferentiationException> [ "Multiply"; "escaped" ] (fun () ->
                    grad (fun x -> kept * x) scalar)
        }

        test "values of a batched tensor cannot be read" {
            Expect.error<AbstractValueException> [ "vmap"; "stack" ] (fun () ->
                vmap (fun x -> (if x.ToScalar() > 0.0 then x else -x)) point |> ignore)
        }

        test "values of a tensor that is being recorded cannot be read" {
            Expect.raises<AbstractValueException> [ "recorded" ] (fun () ->
                Compile.func (fun x -> if x.ToArray()[0] > 0.0 then x else -x) point)
        }

        test "gradients and Hessians need a scalar function" {
            Expect.raises<ShapeException> [ "grad"; "scalar"; "[3]" ] (fun () -> grad sin point)

            Expect.raises<ShapeException> [ "grad"; "scalar"; "[1]" ] (fun () ->
                grad (fun x -> Tensor.sumAxes [ 0 ] x |> Tensor.unsqueeze 0) point)

            Expect.raises<ShapeException> [ "gradv"; "scalar"; "[3]" ] (fun () -> gradv sin point point)
            Expect.raises<ShapeException> [ "scalar"; "[3]" ] (fun () -> hessianv sin point point)
            Expect.raises<ShapeException> [ "scalar"; "[3]" ] (fun () -> hessian sin point)
            Expect.raises<ShapeException> [ "scalar"; "[3]" ] (fun () -> quadraticForm sin point point)
        }

        test "directions must be like the point" {
            let short = tensor [ 1.0; 2.0 ]
            Expect.raises<ShapeException> [ "jacobianv"; "[2]"; "[3]" ] (fun () -> jacobianv sin point short)
            Expect.raises<ShapeException> [ "jacobianv"; "Float32"; "Float64" ] (fun () -> jacobianv sin point single)
            Expect.raises<ShapeException> [ "hessianv"; "[2]"; "[3]" ] (fun () -> hessianv Tensor.sum point short)

            Expect.raises<ShapeException> [ "quadraticForm"; "[2]"; "[3]" ] (fun () ->
                quadraticForm Tensor.sum point short)

            Expect.raises<ShapeException> [ "vjp"; "cotangent"; "[2]"; "[3]" ] (fun () -> jacobianTv sin point short)
            let _, program = linearize sin point
            Expect.raises<ShapeException> [ "Float64[3]"; "Float64[2]" ] (fun () -> program.Apply short)
            Expect.raises<ShapeException> [ "Float64[3]"; "Float32[3]" ] (fun () -> program.Apply single)
        }

        test "indices have no derivatives" {
            Expect.raises<DTypeException> [ "grad"; "Int32" ] (fun () ->
                grad (fun x -> Tensor.sum (Tensor.convert DType.Float64 x)) indices)

            Expect.raises<DTypeException> [ "jacobianv"; "Int32" ] (fun () -> jacobianv id indices indices)
            Expect.raises<DTypeException> [ "hessianv"; "Int32" ] (fun () -> hessianv id indices indices)
            Expect.raises<DTypeException> [ "grad"; "return"; "Int32" ] (fun () -> grad Tensor.argMax point)
            Expect.raises<DTypeException> [ "returns"; "Int32" ] (fun () -> quadraticForm Tensor.argMax point point)
        }

        test "a derivative of a number needs a number" {
            Expect.raises<ShapeException> [ "diff"; "scalar"; "[3]" ] (fun () -> diff sin point)

            Expect.raises<ArgumentRangeException> [ "diffn"; "-1" ] (fun () ->
                diffn -1 sin (Tensor.scalar DType.Float64 1.0))
        }

        test "a batch needs a leading axis, and a linear program at least one tensor" {
            Expect.raises<ShapeException> [ "vmap"; "scalar" ] (fun () -> vmap sin (Tensor.scalar DType.Float64 1.0))
            let _, program = linearize sin point
            Expect.error<ArgumentRangeException> [ "batch"; "0" ] (fun () -> program.Batch 0 |> ignore)
        }

        test "arithmetic on indices says that they are not numbers" {
            Expect.raises<DTypeException> [ "Add"; "Int32"; "convert" ] (fun () -> indices + indices)
            Expect.raises<DTypeException> [ "Multiply"; "Int32" ] (fun () -> 2.0 * indices)
            Expect.raises<DTypeException> [ "Subtract"; "Int32" ] (fun () -> 10.0 - indices)
            Expect.raises<DTypeException> [ "Exp"; "Int32" ] (fun () -> exp indices)
            Expect.raises<DTypeException> [ "sum"; "Int32" ] (fun () -> Tensor.sum indices)
            Expect.raises<DTypeException> [ "einsum"; "Int32" ] (fun () -> Tensor.dot indices indices)
            Expect.raises<DTypeException> [ "cumulativeSum"; "Int32" ] (fun () -> Tensor.cumulativeSum 0 indices)
            Expect.raises<DTypeException> [ "argMax"; "Int32" ] (fun () -> Tensor.argMax indices)
            Expect.raises<DTypeException> [ "logsumexp"; "Int32" ] (fun () -> Tensor.logSumExp indices)
        }

        test "two element types do not mix" {
            Expect.raises<DTypeException> [ "Add"; "Float64"; "Float32"; "convert" ] (fun () -> point + single)
            Expect.raises<DTypeException> [ "einsum"; "Float64"; "Float32" ] (fun () -> Tensor.dot point single)

            Expect.raises<DTypeException> [ "concat"; "Float64"; "Float32" ] (fun () ->
                Tensor.concat 0 [ point; single ])

            Expect.raises<DTypeException> [ "softmaxCrossEntropy"; "Float64"; "Float32" ] (fun () ->
                Tensor.softmaxCrossEntropy point single)
            // Nor inside a derivative.
            Expect.raises<DTypeException> [ "Multiply"; "Float64"; "Float32" ] (fun () ->
                grad (fun x -> Tensor.sum (x * single)) point)
        }

        test "shapes that do not broadcast are named" {
            let wide = tensor [ [ 1.0; 2.0 ]; [ 3.0; 4.0 ] ]
            Expect.raises<ShapeException> [ "Add"; "[3]"; "[2; 2]"; "broadcast" ] (fun () -> point + wide)
            Expect.raises<ShapeException> [ "[2; 2]"; "[3]" ] (fun () -> Tensor.matmul wide point)
            Expect.raises<ShapeException> [ "dot"; "[3]"; "[2; 2]" ] (fun () -> Tensor.dot point wide)

            Expect.raises<ShapeException> [ "softmaxCrossEntropy"; "[3]"; "[2; 2]" ] (fun () ->
                Tensor.softmaxCrossEntropy point wide)
        }

        test "a scalar is not read from many elements" {
            Expect.error<ShapeException> [ "one element"; "[3]" ] (fun () -> point.ToScalar() |> ignore)
        }
    ]
