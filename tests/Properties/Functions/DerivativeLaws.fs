/// The laws of first and second derivatives of whole functions.
module Curvature.Tests.Properties.DerivativeLaws

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

/// All that agrees up to rounding.
let private same = Expect.tensorsClose 1e-9

let private number (t: Tensor) = t.ToScalar()
let private inner (a: Tensor) (b: Tensor) = number (Tensor.dot a b)
let private equal expected actual = Expect.close 1e-9 [| expected |] [| actual |]

/// (f(x + hv) − f(x − hv)) / 2h
let private difference (f: Tensor -> Tensor) (x: Tensor) (v: Tensor) =
    let step = 1e-5
    (f (x + step * v) - f (x - step * v)) / (2.0 * step)

let private law name property = lawOver [ typeof<RandomFunctions> ] 60 name property

[<Tests>]
let tests =
    testList "Properties.DerivativeLaws" [
        law "the derivative along a direction agrees with central differences" (fun (f: RandomFunction) ->
            let x, v = f.Point, f.Direction 0
            Expect.tensorsClose 1e-6 (difference f.Value x v) (jacobianv f.Value x v))

        law "forward and reverse are adjoint" (fun (f: RandomFunction) ->
            let x, v = f.Point, f.Direction 0
            let u = Generators.direction f.Seed (f.Value x)
            equal (inner u (jacobianv f.Value x v)) (inner (jacobianTv f.Value x u) v))

        law "derivatives are linear in the direction" (fun (f: RandomFunction) ->
            let x, v, w = f.Point, f.Direction 0, f.Direction 1
            let linear (map: Tensor -> Tensor) = same (0.3 * map v - 2.0 * map w) (map (0.3 * v - 2.0 * w))
            linear (jacobianv f.Value x)
            linear (hessianv f.Loss x))

        law "the gradient holds the derivatives along all directions" (fun (f: RandomFunction) ->
            let x, v = f.Point, f.Direction 0
            let gradient = grad f.Loss x
            Expect.isTrue "the shape of the point" (gradient.Shape = x.Shape)
            equal (inner gradient v) (number (gradv f.Loss x v)))

        law "the Hessian is symmetric" (fun (f: RandomFunction) ->
            let x, u, v = f.Point, f.Direction 0, f.Direction 1
            equal (inner u (hessianv f.Loss x v)) (inner (hessianv f.Loss x u) v))

        law "every composition of forward and reverse gives the same product" (fun (f: RandomFunction) ->
            let x, v = f.Point, f.Direction 0
            let expected = hessianv f.Loss x v
            same expected (jacobianv (grad f.Loss) x v)
            same expected (grad (fun x -> gradv f.Loss x v) x)
            same expected (grad (fun x -> Tensor.dot (grad f.Loss x) v) x)
            let _, program = linearize (grad f.Loss) x
            same expected (program.Apply v)
            same expected (program.Transpose().Apply v)
            same expected (jacobianTv (grad f.Loss) x v)
            let u = f.Direction 1
            equal (inner u expected) (number (gradv (fun x -> gradv f.Loss x u) x v)))

        law "the product agrees with central differences of the gradient" (fun (f: RandomFunction) ->
            let x, v = f.Point, f.Direction 0
            Expect.tensorsClose 1e-6 (difference (grad f.Loss) x v) (hessianv f.Loss x v))

        law "the quadratic form is ⟨v, Hv⟩" (fun (f: RandomFunction) ->
            let x, v = f.Point, f.Direction 0
            equal (inner v (hessianv f.Loss x v)) (number (quadraticForm f.Loss x v)))

        law "the quadratic form can itself be differentiated" (fun (f: RandomFunction) ->
            let x, u, v = f.Point, f.Direction 0, f.Direction 1
            let form x = quadraticForm f.Loss x v
            let product x = Tensor.dot v (hessianv f.Loss x v)
            same (grad product x) (grad form x)
            same (gradv product x u) (gradv form x u)
            // Its gradient in v is 2Hv.
            same (2.0 * hessianv f.Loss x v) (grad (quadraticForm f.Loss x) v))

        law "quadratic forms of a stack are those of its slices" (fun (f: RandomFunction) ->
            let x = f.Point
            let directions = List.init 3 f.Direction
            let expected = directions |> List.map (quadraticForm f.Loss x) |> Tensor.stack 0
            same expected (vmap (quadraticForm f.Loss x) (Tensor.stack 0 directions)))

        law "the Hessian's rows are products" (fun (f: RandomFunction) ->
            let x, v = f.Point, f.Direction 0
            let hessian = hessian f.Loss x
            Expect.isTrue "the axes of x twice" (hessian.Shape = Array.append x.Shape x.Shape)
            let matrix = Tensor.reshape [ x.Size; x.Size ] hessian

            same
                (hessianv f.Loss x v)
                (Tensor.matmul matrix (Tensor.flatten v) |> Tensor.reshape (List.ofArray x.Shape))

            same matrix (Tensor.transpose matrix)
            let trace = Tensor.sum (matrix * Tensor.eye DType.Float64 x.Size)
            same trace (laplacian f.Loss x))

        law "the Jacobian maps directions forward and cotangents back" (fun (f: RandomFunction) ->
            let x, v = f.Point, f.Direction 0
            let y = f.Value x
            let u = Generators.direction f.Seed y
            let jacobian = jacobian f.Value x
            Expect.isTrue "the axes of the value, then those of x" (jacobian.Shape = Array.append y.Shape x.Shape)
            let matrix = Tensor.reshape [ y.Size; x.Size ] jacobian
            same (Tensor.flatten (jacobianv f.Value x v)) (Tensor.matmul matrix (Tensor.flatten v))
            same (Tensor.flatten (jacobianTv f.Value x u)) (Tensor.matmul (Tensor.flatten u) matrix))

        law "the divergence is the trace of the Jacobian" (fun (f: RandomFunction) ->
            let x = f.Point
            let field x = grad f.Loss x + sin x
            let trace = Tensor.reshape [ x.Size; x.Size ] (jacobian field x) * Tensor.eye DType.Float64 x.Size
            same (Tensor.sum trace) (divergence field x))

        law "functions that return the value too return it, and the same derivatives" (fun (f: RandomFunction) ->
            let x, v = f.Point, f.Direction 0
            let u = Generators.direction f.Seed (f.Value x)

            let both expectedValue expected (value, derivative) =
                same expectedValue value
                same expected derivative

            both (f.Value x) (jacobianv f.Value x v) (fjacobianv f.Value x v)
            both (f.Value x) (jacobianv f.Value x v) (jvp f.Value x v)
            both (f.Value x) (jacobianTv f.Value x u) (fjacobianTv f.Value x u)
            both (f.Value x) (jacobian f.Value x) (fjacobian f.Value x)
            both (f.Loss x) (grad f.Loss x) (fgrad f.Loss x)
            both (f.Loss x) (gradv f.Loss x v) (fgradv f.Loss x v)
            both (f.Loss x) (hessianv f.Loss x v) (fhessianv f.Loss x v)
            both (f.Loss x) (hessian f.Loss x) (fhessian f.Loss x)
            both (f.Loss x) (quadraticForm f.Loss x v) (fquadraticForm f.Loss x v)
            both (f.Loss x) (laplacian f.Loss x) (flaplacian f.Loss x)
            both (gradv f.Loss x v) (hessianv f.Loss x v) (gradhessianv f.Loss x v)
            both (grad f.Loss x) (hessian f.Loss x) (gradhessian f.Loss x)
            let value, slope, product = fgradhessianv f.Loss x v
            both (f.Loss x) (gradv f.Loss x v) (value, slope)
            same (hessianv f.Loss x v) product
            let value, gradient, all = fgradhessian f.Loss x
            both (f.Loss x) (grad f.Loss x) (value, gradient)
            same (hessian f.Loss x) all
            let field x = grad f.Loss x
            both (field x) (divergence field x) (fdivergence field x))

        law "float32 derivatives are those of float64, to rounding" (fun (f: RandomFunction) ->
            let x, v = f.Point, f.Direction 0
            let narrow = Tensor.convert DType.Float32
            // Constants inside the function are Float64; the function is looked at through conversions, and its
            // arithmetic stays.
            let g x = narrow (f.Loss(Tensor.convert DType.Float64 x))
            Expect.tensorsClose 1e-5 (narrow (grad f.Loss x)) (grad g (narrow x))
            Expect.tensorsClose 1e-5 (narrow (hessianv f.Loss x v)) (hessianv g (narrow x) (narrow v)))
    ]
