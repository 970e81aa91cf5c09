/// Wrong use of the functions of dense linear algebra, and points where derivatives are not defined.
module Curvature.Tests.Unit.Tensors.TensorDecompositionErrorTests

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private wide = Tensor.zeros DType.Float64 [ 2; 3 ]
let private singular = tensor [ [ 1.0; 2.0; 3.0 ]; [ 4.0; 5.0; 6.0 ]; [ 7.0; 8.0; 9.0 ] ]
let private good = tensor [ [ 2.0; 1.0; 0.0 ]; [ 1.0; 3.0; 1.0 ]; [ 0.0; 1.0; 4.0 ] ]

let private ofSquares: (string * (Tensor -> Tensor)) list =
    [
        "solve", (fun a -> Tensor.solve a (Tensor.ones DType.Float64 [ a.Shape[0] ]))
        "inverse", Tensor.inverse
        "cholesky", Tensor.cholesky
        "eigh", Tensor.eigh >> fst
        "det", Tensor.det
        "logdet", Tensor.logdet
        "slogdet", Tensor.slogdet >> snd
    ]

[<Tests>]
let tests =
    testList "Unit.Tensors.TensorDecompositionErrorTests" [
        test "what is not square, no matrix or not of numbers is named" {
            for name, f in ofSquares do
                Expect.raises<ShapeException> [ name; "square"; "[2; 3]" ] (fun () -> f wide)
                Expect.raises<ShapeException> [ name; "[2]" ] (fun () -> f (tensor [ 1.0; 2.0 ]))

            for name, f in [ "svd", (fun a -> let u, _, _ = Tensor.svd a in u); "qr", Tensor.qr >> fst ] do
                Expect.raises<ShapeException> [ name; "[2]" ] (fun () -> f (tensor [ 1.0; 2.0 ]))
                Expect.raises<DTypeException> [ name; "Int32" ] (fun () -> f (tensor [ [ 1 ] ]))

            Expect.raises<DTypeException> [ "inverse"; "Int32" ] (fun () -> Tensor.inverse (tensor [ [ 1 ] ]))
        }

        test "right-hand sides that do not fit are named" {
            let solve b () = Tensor.solve good b
            Expect.raises<ShapeException> [ "solve"; "[2; 1]"; "[3; 3]" ] (solve (tensor [ 1.0; 2.0 ]))
            Expect.raises<ShapeException> [ "solve"; "[]"; "[3; 3]" ] (solve (tensor 1.0))
            Expect.raises<DTypeException> [ "solve"; "Float32" ] (solve (tensor [ 1.0f; 2.0f; 3.0f ]))
            let stacks = Tensor.zeros DType.Float64 [ 2; 3; 3 ]

            Expect.raises<ShapeException> [ "solve" ] (fun () ->
                Tensor.solve stacks (Tensor.zeros DType.Float64 [ 4; 3; 1 ]))
        }

        test "singular matrices are errors that name the pivot, compiled and batched too" {
            let zero = Tensor.zeros DType.Float64 [ 3; 3 ]

            // The last pivot of a tenth of the matrix is 1e-16, by rounding.
            for bad in [ singular; 0.1 * singular; zero; Tensor.convert DType.Float32 singular ] do
                let ones = Tensor.convert bad.DType (tensor [ 1.0; 1.0; 1.0 ])
                Expect.raises<OperatorException> [ "solve"; "singular"; "pivot" ] (fun () -> Tensor.solve bad ones)
                Expect.raises<OperatorException> [ "inverse"; "[3; 3]" ] (fun () -> Tensor.inverse bad)
                Expect.raises<OperatorException> [ "inverse" ] (fun () -> Compile.func Tensor.inverse bad)

            let stack = Tensor.stack 0 [ good; singular ]
            Expect.raises<OperatorException> [ "matrix 1"; "[2; 3; 3]" ] (fun () -> vmap Tensor.inverse stack)
        }

        test "a compiled function works again after an error" {
            let inverse = Compile.func Tensor.inverse
            Expect.sameBits (Tensor.inverse good) (inverse good)
            Expect.raises<OperatorException> [ "singular" ] (fun () -> inverse singular)
            Expect.sameBits (Tensor.inverse good) (inverse good)
        }

        test "matrices that are not positive definite are errors that name the smallest eigenvalue" {
            let indefinite = tensor [ [ 1.0; 2.0 ]; [ 2.0; 1.0 ] ]
            Expect.raises<OperatorException> [ "cholesky"; "definite"; "-1" ] (fun () -> Tensor.cholesky indefinite)
            Expect.raises<OperatorException> [ "cholesky" ] (fun () -> Tensor.cholesky (Tensor.zerosLike indefinite))
            Expect.raises<OperatorException> [ "cholesky" ] (fun () -> Compile.func Tensor.cholesky indefinite)
        }

        test "determinants of singular matrices, and QR of dependent columns, have no derivative" {
            let derivative = [ "derivative of det"; "singular" ]
            Expect.raises<OperatorException> derivative (fun () -> grad Tensor.det singular)
            Expect.raises<OperatorException> [ "derivative of logdet" ] (fun () -> grad Tensor.logdet singular)

            Expect.raises<OperatorException> [ "derivative of qr" ] (fun () ->
                grad (Tensor.qr >> snd >> Tensor.sum) singular)
        }

        test "equal eigenvalues have derivatives, and their vectors have none that is finite" {
            let unit = Tensor.eye DType.Float64 3
            let weights = tensor [ 1.0; 2.0; 3.0 ]
            let values = Tensor.eigh >> fst >> Tensor.dot weights
            let vectors a = let _, v = Tensor.eigh a in Tensor.dot v good
            // Along a diagonal direction the eigenvalues are the diagonal.
            let along = Tensor.diag (tensor [ 0.1; 0.2; 0.5 ])
            Expect.tensor 1e-13 [] [ 2.0 ] (jacobianv values unit along)
            Expect.isTrue "sum" ((grad (Tensor.eigh >> fst >> Tensor.sum) unit).ToArray() = unit.ToArray())
            let isFinite (t: Tensor) = t.ToArray() |> Array.forall Double.IsFinite
            Expect.isTrue "values" (isFinite (grad values unit))
            Expect.isFalse "vectors" (isFinite (grad vectors unit))
            let singularValues a = let _, s, _ = Tensor.svd a in Tensor.sum s
            Expect.tensorsClose 1e-13 unit (grad singularValues unit)
            let left a = let u, _, _ = Tensor.svd a in Tensor.dot u good
            Expect.isFalse "left vectors" (isFinite (grad left unit))
        }
    ]
