/// Divergence, curl and Laplacian against closed forms.
module Curvature.Tests.Unit.VectorCalculusTests

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private point = tensor [ 0.4; -1.1; 0.7 ]
let private x, private y, private z = 0.4, -1.1, 0.7
let private part i (p: Tensor) = Tensor.item 0 i p

/// (x²y, y sin z, x z³)
let private field (p: Tensor) =
    let x, y, z = part 0 p, part 1 p, part 2 p
    Tensor.stack 0 [ x * x * y; y * sin z; x * z ** 3.0 ]

let private curlOfField = [ -y * cos z; -(z ** 3.0); -(x * x) ]
let private divergenceOfField = 2.0 * x * y + sin z + 3.0 * x * z * z

[<Tests>]
let tests =
    testList "Unit.VectorCalculusTests" [
        test "the divergence of a field" {
            let value, result = fdivergence field point
            Expect.tensor 1e-15 [ 3 ] [ x * x * y; y * sin z; x * z ** 3.0 ] value
            Expect.scalar 1e-15 divergenceOfField result
            Expect.scalar 1e-15 divergenceOfField (divergence field point)
        }

        test "the curl of a field" {
            Expect.tensor 1e-15 [ 3 ] curlOfField (curl field point)
            let value, result = fcurl field point
            Expect.tensorsClose 0.0 (field point) value
            Expect.tensor 1e-15 [ 3 ] curlOfField result
        }

        test "curl and divergence together" {
            let curl, divergence = curldivergence field point
            Expect.tensor 1e-15 [ 3 ] curlOfField curl
            Expect.scalar 1e-15 divergenceOfField divergence
            let value, _, _ = fcurldivergence field point
            Expect.tensorsClose 0.0 (field point) value
        }

        test "a gradient has no curl, and a curl no divergence" {
            let potential p = Tensor.sum (sin (p * Tensor.reverse 0 p) * tensor [ 1.0; 2.0; 3.0 ]) * part 1 p
            Expect.tensor 1e-14 [ 3 ] [ 0.0; 0.0; 0.0 ] (curl (grad potential) point)
            Expect.scalar 1e-14 0.0 (divergence (curl field) point)
        }

        test "the divergence of a gradient is the Laplacian" {
            let f (p: Tensor) = exp (part 0 p) * sin (part 1 p * part 2 p)
            let expected = exp x * sin (y * z) * (1.0 - z * z - y * y)
            Expect.scalar 1e-14 expected (laplacian f point)
            Expect.scalar 1e-14 expected (divergence (grad f) point)
        }

        test "1/r is harmonic away from 0" { Expect.scalar 1e-14 0.0 (laplacian (fun p -> 1.0 / Tensor.norm p) point) }

        test "the Laplacian of r⁴ in n dimensions is 4(n + 2)r²" {
            for n in [ 1; 2; 5; 70 ] do
                let p = Tensor.ofArray [ n ] (Array.init n (fun i -> cos (float i)))
                let square = (Tensor.dot p p).ToScalar()

                Expect.scalar
                    1e-13
                    (4.0 * float (n + 2) * square)
                    (laplacian (fun p -> Tensor.square (Tensor.dot p p)) p)
        }

        test "fields on matrices have a divergence too" {
            let p = tensor [ [ 1.0; 2.0 ]; [ 3.0; 4.0 ] ]
            Expect.scalar 1e-15 20.0 (divergence (fun p -> p * p) p)
            Expect.scalar 1e-15 2.0 (divergence Tensor.transpose p)
        }

        test "a curl needs three dimensions, and a divergence as many out as in" {
            let flat = tensor [ 1.0; 2.0 ]
            Expect.error<ShapeException> [ "curl"; "three dimensions"; "[2]" ] (fun () -> curl sin flat |> ignore)
            Expect.error<ShapeException> [ "curldivergence"; "[2]" ] (fun () -> curldivergence sin flat |> ignore)
            Expect.error<ShapeException> [ "divergence"; "[2]"; "[]" ] (fun () -> divergence Tensor.sum flat |> ignore)
        }
    ]
