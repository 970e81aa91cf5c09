/// What every differentiable function of tensors must satisfy.
module Curvature.Tests.Unit.Tensors.DerivativeChecks

open Curvature
open Curvature.FSharp
open Curvature.Tests

let private normal (seed: int64) (shape: int[]) = Tensor.normal (Key.OfSeed seed) DType.Float64 (List.ofArray shape)

/// The derivative of f at x along v by central differences; the error is near 1e-9 for values near 1.
let private difference (f: Tensor -> Tensor) (x: Tensor) (v: Tensor) : Tensor =
    let step = 1e-5
    (f (x + step * v) - f (x - step * v)) / (2.0 * step)

/// Derivatives of every order, direction and mode of f at x, which is Float64, against finite differences; batched and
/// compiled ones against those of one point. The point must lie away from steps and corners.
let differentiates (name: string) (f: Tensor -> Tensor) (x: Tensor) : unit =
    try
        let value = f x
        let weights = normal 101L value.Shape
        let loss x = Tensor.sum (weights * f x)
        let v, u = normal 102L x.Shape, normal 103L x.Shape
        let gradient = grad loss x

        // First derivatives, forward and in reverse.
        Expect.tensorsClose 1e-7 (difference f x v) (jacobianv f x v)
        Expect.scalar 1e-7 ((difference loss x v).ToScalar()) (Tensor.dot gradient v)
        Expect.scalar 1e-7 ((difference loss x u).ToScalar()) (Tensor.dot gradient u)

        // Second derivatives.
        let product = hessianv loss x v
        Expect.tensorsClose 1e-6 (difference (grad loss) x v) product
        Expect.scalar 1e-12 ((Tensor.dot v product).ToScalar()) (quadraticForm loss x v)

        // A stack of points, and compiled code.
        let other = x + 1e-3 * v
        let stack = Tensor.stack 0 [ x; other ]
        Expect.tensorsClose 1e-13 (Tensor.stack 0 [ value; f other ]) (vmap f stack)
        Expect.tensorsClose 1e-12 (Tensor.stack 0 [ gradient; grad loss other ]) (vmap (grad loss) stack)
        Expect.tensorsClose 1e-13 value (Compile.func f x)
        Expect.tensorsClose 1e-12 product (Compile.func (fun x -> hessianv loss x v) x)
    with e ->
        Expecto.Tests.failtest $"{name} of {x}: {e.Message}"

/// A function that takes steps has derivative 0, forward and in reverse.
let hasNoSlope (name: string) (f: Tensor -> Tensor) (x: Tensor) : unit =
    try
        let v = normal 104L x.Shape
        Expect.tensorsClose 0.0 (Tensor.zerosLike (f x)) (jacobianv f x v)
        Expect.tensorsClose 0.0 (Tensor.zerosLike x) (grad (f >> Tensor.sum) x)
        Expect.tensorsClose 0.0 (Tensor.stack 0 [ f x; f -x ]) (vmap f (Tensor.stack 0 [ x; -x ]))
        Expect.tensorsClose 0.0 (f x) (Compile.func f x)
    with e ->
        Expecto.Tests.failtest $"{name} of {x}: {e.Message}"

/// The points at which functions are tried: a vector, a matrix, a transposed view, and a scalar. The elements are
/// different from each other, and from integers and their halves.
let points: Tensor list =
    let numbers = [ 0.37; -0.81; 0.12; 0.68; -0.23; 0.91 ]
    let matrix = Tensor.ofArray [ 2; 3 ] (Array.ofList numbers)
    [ Tensor.flatten matrix; matrix; Tensor.transpose matrix; tensor 0.37 ]
