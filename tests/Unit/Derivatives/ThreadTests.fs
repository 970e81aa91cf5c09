/// Derivatives taken on many threads at once.
module Curvature.Tests.Unit.ThreadTests

open System.Threading
open System.Threading.Tasks
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private point = Tensor.ofArray [ 6 ] (Array.init 6 (fun i -> 0.3 * float (i - 2)))
let private loss (x: Tensor) = let square = Tensor.dot x x in square * square + Tensor.sum (tanh x)

let private directions =
    Array.init 50 (fun k -> Tensor.ofArray [ 6 ] (Array.init 6 (fun i -> sin (float (7 * k + i)))))

/// Runs the function on every direction again and again, on as many threads as the runtime likes.
let private inParallel count (f: Tensor -> Tensor) =
    let expected = directions |> Array.map (f >> _.ToArray())
    let mutable different = 0

    Parallel.For(
        0,
        count,
        fun i ->
            let k = i % directions.Length

            if (f directions[k]).ToArray() <> expected[k] then
                Interlocked.Increment &different |> ignore
    )
    |> ignore

    Expect.isZero "different" different

[<Tests>]
let tests =
    testList "Unit.ThreadTests" [
        test "40,000 products of one linear program from parallel threads agree to the bit" {
            let quartic (x: Tensor) = let square = Tensor.dot x x in square * square
            let _, program = linearize (grad quartic) point
            inParallel 40_000 program.Apply
        }

        test "products traced anew on parallel threads agree to the bit" { inParallel 2_000 (hessianv loss point) }

        test "quadratic forms from parallel threads agree to the bit" {
            inParallel 5_000 (vmap (fun v -> Tensor.sum v) << Tensor.unsqueeze 0 << hessianv loss point)
        }

        test "a function may use threads of its own" {
            let f (x: Tensor) =
                let parts = Array.zeroCreate<Tensor> 8
                Parallel.For(0, 8, fun i -> parts[i] <- Tensor.sum (x ** float (i % 4))) |> ignore
                Array.reduce (+) parts

            let plain (x: Tensor) = Array.init 8 (fun i -> Tensor.sum (x ** float (i % 4))) |> Array.reduce (+)

            for _ in 1..20 do
                Expect.sameBits (jacobianv plain point directions[0]) (jacobianv f point directions[0])
        }

        test "derivatives on the threads of a function are derivatives inside it" {
            // Each thread differentiates a function of its own y that captures x.
            let f (x: Tensor) =
                let parts = Array.zeroCreate<Tensor> 4
                Parallel.For(0, 4, fun i -> parts[i] <- grad (fun y -> Tensor.sum (y * y * x)) (x * float i)) |> ignore
                // Σᵢ 2·i·x² = 12x²
                Tensor.sum (Array.reduce (+) parts)

            for _ in 1..20 do
                Expect.tensorsClose 1e-14 (24.0 * point * directions[0] |> Tensor.sum) (gradv f point directions[0])
        }
    ]
