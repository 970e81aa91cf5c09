/// A function of three parameters whose derivatives stand here as formulas over arrays, with which steps of methods are
/// compared: f(θ) = ½θᵀAθ + ¼Σθᵢ⁴.
module Curvature.Tests.Unit.Quartic

open Curvature
open Curvature.FSharp

let a = [| [| 4.0; 1.0; 0.5 |]; [| 1.0; 3.0; -0.5 |]; [| 0.5; -0.5; 2.0 |] |]

let dot (x: float[]) (y: float[]) = Array.map2 (*) x y |> Array.sum
let times (matrix: float[][]) (x: float[]) = matrix |> Array.map (dot x)
let add (x: float[]) (c: float) (y: float[]) = Array.map2 (fun x y -> x + c * y) x y
let norm x = sqrt (dot x x)

let value (x: float[]) = 0.5 * dot x (times a x) + 0.25 * (x |> Array.sumBy (fun x -> x ** 4.0))
let gradient (x: float[]) = Array.map2 (fun ax x -> ax + x ** 3.0) (times a x) x

let hessian (x: float[]) =
    a |> Array.mapi (fun i row -> row |> Array.mapi (fun j e -> if i = j then e + 3.0 * x[i] * x[i] else e))

/// x with Mx = b, by elimination.
let solve (matrix: float[][]) (b: float[]) =
    let n = b.Length
    let m = matrix |> Array.mapi (fun i row -> Array.append row [| b[i] |])

    for i in 0 .. n - 1 do
        for k in i + 1 .. n - 1 do
            m[k] <- add m[k] (-m[k][i] / m[i][i]) m[i]

    let x = Array.zeroCreate n

    for i in n - 1 .. -1 .. 0 do
        x[i] <- (m[i][n] - (seq { for j in i + 1 .. n - 1 -> m[i][j] * x[j] } |> Seq.sum)) / m[i][i]

    x

let shifted (lambda: float) (matrix: float[][]) =
    matrix |> Array.mapi (fun i row -> row |> Array.mapi (fun j e -> if i = j then e + lambda else e))

let start = [| 1.0; -0.5; 0.8 |]

/// The same function for the library, in an element type.
let loss (dtype: DType) (theta: Tensor) =
    let a = Tensor.ofArray [ 3; 3 ] (Array.concat a) |> Tensor.convert dtype
    0.5 * Tensor.dot theta (Tensor.matmul a theta) + 0.25 * Tensor.sum (Tensor.square (Tensor.square theta))

/// The points after each of some steps of a method.
let path (dtype: DType) (steps: int) (optimizer: Optimizer) : float[] list =
    let descent = Descent.ofFunction (loss dtype)

    ((Tensor.ofArray [ 3 ] start |> Tensor.convert dtype, optimizer), [ 1..steps ])
    ||> List.scan (fun (theta, optimizer) _ ->
        let step = descent.Step(optimizer, theta)
        step.Theta, step.Optimizer)
    |> List.tail
    |> List.map (fun (theta, _) -> theta.ToArray())

/// The vector that a method draws in step number t, from 0, in an element type.
let drawn dtype probe (key: Key) (t: int) = (Probe.draw probe (key.FoldIn(uint32 t)) 3 (0, 1) dtype).ToArray()
