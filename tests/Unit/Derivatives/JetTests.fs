/// Derivatives of high order along curves against closed forms.
module Curvature.Tests.Unit.JetTests

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private order = 10
let private scalar (x: float) = Tensor.scalar DType.Float64 x

/// Coefficients from derivatives, which grow like factorials.
let private normalized (derivatives: Tensor list) : float[] =
    derivatives |> List.mapi (fun i d -> d.ToScalar() / KnownSeries.factorial (i + 1)) |> Array.ofList

/// The derivatives of order 1, 2, … of t ↦ f(x(t)) for x(t) = Σ cᵢtⁱ.
let private along (f: Tensor -> Tensor) (curve: float[]) =
    let directions = [ for k in 1 .. curve.Length - 1 -> scalar (KnownSeries.factorial k * curve[k]) ]
    jet order f (scalar curve[0]) directions |> normalized

let private line (x: float) = [| x; 1.0 |]
let private padded (curve: float[]) = Array.init (order + 1) (fun k -> if k < curve.Length then curve[k] else 0.0)
let private derivativesOf (series: float[]) = Array.tail series

/// t ↦ g(t) as a tensor function that is the polynomial of a curve.
let private curve x = [| x; 0.7; -0.4; 0.2; 0.1 |]

[<Tests>]
let tests =
    testList "Unit.JetTests" [
        for f in KnownSeries.functions do
            test $"derivatives to order 10 are the known ones ({f.Name})" {
                for x in f.Points do
                    let expected = KnownSeries.coefficients order f x |> derivativesOf
                    Expect.close 1e-10 expected (along f.Apply (line x))
            }

        for f in KnownSeries.functions do
            test $"derivatives to order 10 along a curve are those of the composed series ({f.Name})" {
                for x in f.Points do
                    let expected = KnownSeries.compose (KnownSeries.coefficients order f x) (padded (curve x))
                    Expect.close 1e-10 (derivativesOf expected) (along f.Apply (curve x))
            }

        test "derivatives to order 10 of compositions are those of the composed series" {
            let mutable count = 0

            for outer in KnownSeries.functions do
                for inner in KnownSeries.functions do
                    for x in inner.Points do
                        let inside = KnownSeries.coefficients order inner x
                        let low, high = outer.Domain

                        if inside[0] > low && inside[0] < high then
                            count <- count + 1
                            let outside = KnownSeries.coefficients order outer inside[0]
                            let expected = KnownSeries.compose outside inside |> derivativesOf
                            // The reference rounds too, by the size of the terms that it sums.
                            let terms = KnownSeries.compose (Array.map abs outside) (Array.map abs inside)
                            let largest = expected |> Array.map abs |> Array.max
                            let found = along (inner.Apply >> outer.Apply) (line x)

                            for k in 0 .. order - 1 do
                                let allowed = 1e-10 * (1.0 + largest) + 1e-14 * terms[k + 1]
                                let name = $"{outer.Name} of {inner.Name} at {x}, order {k + 1}"
                                Expect.within name allowed expected[k] found[k]

            Expect.inRange "how many were in their domain" 400 2000 count
        }

        test "what is linear by pieces has the derivatives of its pieces" {
            for x in [ -1.3; 0.7 ] do
                let is slope f =
                    let expected = padded (curve x) |> derivativesOf |> Array.map ((*) slope)
                    Expect.close 1e-14 expected (along f (curve x))

                let isPositive (x: Tensor) = Tensor.greater x (Tensor.fullLike x 0.0)
                let pick above below = if x > 0.0 then above else below
                is (pick 1.0 -1.0) abs
                is 0.0 Tensor.sign
                is 0.0 floor
                is 0.0 isPositive
                is (pick 2.0 1.0) (fun x -> Tensor.Maximum(x, 2.0 * x))
                is (pick 1.0 2.0) (fun x -> Tensor.Minimum(x, 2.0 * x))
                // The logarithm of a negative number is not finite, and not selected.
                is (pick 3.0 0.5) (fun x -> Tensor.Where(isPositive x, 3.0 * x, 0.5 * x + 0.0 * Tensor.stopGradient x))
                if x > 0.0 then is 3.0 (fun x -> Tensor.Where(isPositive x, 3.0 * x, log (-x)))
        }

        test "directions that are not given are 0, and an order of 0 asks for the value alone" {
            let x, v = scalar 0.3, scalar 2.0
            let zeros = List.replicate 3 (scalar 0.0)
            List.iter2 (Expect.tensorsClose 0.0) (jet 4 exp x (v :: zeros)) (jet 4 exp x [ v ])
            Expect.isTrue "all are 0" (jet 3 exp x [] |> List.forall (fun d -> d.ToScalar() = 0.0))
            let value, none = fjet 0 exp x []
            Expect.scalar 0.0 (System.Math.Exp 0.3) value
            Expect.isEmpty "none" none
        }

        test "the second derivative along a curve has the term of its curvature" {
            let f (x: Tensor) = Tensor.dot x x ** 2.0
            let x, v, w = tensor [ 1.0; 2.0; 3.0 ], tensor [ 0.5; -1.0; 0.0 ], tensor [ 1.0; 1.0; -2.0 ]
            let derivatives = jet 2 f x [ v; w ]
            Expect.tensorsClose 1e-14 (gradv f x v) derivatives[0]
            Expect.tensorsClose 1e-14 (quadraticForm f x v + gradv f x w) derivatives[1]
        }

        test "jets nest in jvp, reverse mode, vmap, jets and compiled functions" {
            let f (x: Tensor) = Tensor.sum (sin x * exp (0.3 * x) / (1.5 + tanh (x * x)))
            let third v x = (jet 3 f x [ v ])[2]
            let nested v x = jacobianv (fun x -> jacobianv (fun x -> jacobianv f x v) x v) x v
            let x, v, w = tensor [ 0.4; -1.1; 0.9 ], tensor [ 1.0; 0.5; -0.3 ], tensor [ -0.2; 0.7; 1.1 ]
            Expect.tensorsClose 1e-13 (nested v x) (third v x)
            Expect.tensorsClose 1e-12 (jacobianv (nested v) x w) (jacobianv (third v) x w)
            Expect.tensorsClose 1e-12 (grad (nested v) x) (grad (third v) x)
            Expect.tensorsClose 1e-12 (hessianv (nested v) x w) (hessianv (third v) x w)
            Expect.tensorsClose 1e-12 (quadraticForm (nested v) x w) (quadraticForm (third v) x w)
            let stack = Tensor.stack 0 [ x; w; v ]
            let expected = [ x; w; v ] |> List.map (nested v) |> Tensor.stack 0
            Expect.tensorsClose 1e-12 expected (vmap (third v) stack)
            Expect.tensorsClose 1e-12 expected (Compile.func (vmap (third v)) stack)
            Expect.tensorsClose 1e-12 (grad (nested v) x) (Compile.func (grad (third v)) x)
            let along g = List.last (jet 2 g x [ w ])
            Expect.tensorsClose 1e-12 (along (nested v)) (along (third v))
            // Reverse mode inside.
            let derivatives = jet 3 (grad f) x [ v ]
            Expect.tensorsClose 1e-12 (grad (nested v) x) derivatives[2]
        }

        test "wrong use is refused" {
            let x = tensor [ 1.0; 2.0 ]
            let use' order at (directions: Tensor list) () = (jet order (fun x -> x * x) at directions).Head
            Expect.raises<ArgumentRangeException> [ "jet"; "2 directions at most"; "3" ] (use' 2 x [ x; x; x ])
            Expect.raises<ArgumentRangeException> [ "jet"; "-1" ] (use' -1 x [])
            Expect.raises<ArgumentRangeException> [ "jet"; "65" ] (use' 65 x [ x ])
            Expect.raises<DTypeException> [ "jet"; "Int32" ] (use' 1 (tensor [ 1; 2 ]) [])
            Expect.raises<ShapeException> [ "jet"; "direction" ] (use' 1 x [ tensor [ 1.0 ] ])
            Expect.raises<ShapeException> [ "jet"; "direction" ] (use' 1 x [ Tensor.convert DType.Float32 x ])

            let mutable kept = x

            Expect.raises<DifferentiationException> [ "escaped" ] (fun () ->
                jet
                    2
                    (fun x ->
                        kept <- x
                        x)
                    x
                    [ x ]
                |> ignore

                kept + 1.0)
        }
    ]
