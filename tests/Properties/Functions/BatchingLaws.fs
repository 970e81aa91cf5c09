/// Batching and linear programs of whole functions.
module Curvature.Tests.Properties.BatchingLaws

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private same = Expect.tensorsClose 1e-9

/// Three points near the function's own, and their stack.
let private points (f: RandomFunction) =
    let points = List.init 3 (fun i -> f.Point + 0.1 * f.Direction(10 + i))
    points, Tensor.stack 0 points

let private loop (g: Tensor -> Tensor) (points: Tensor list) = points |> List.map g |> Tensor.stack 0

let private law name property = lawOver [ typeof<RandomFunctions> ] 60 name property

[<Tests>]
let tests =
    testList "Properties.BatchingLaws" [
        law "vmap is a loop" (fun (f: RandomFunction) ->
            let points, stack = points f
            same (loop f.Value points) (vmap f.Value stack)
            same (loop f.Loss points) (vmap f.Loss stack))

        law "vmap of derivatives is a loop of derivatives" (fun (f: RandomFunction) ->
            let points, stack = points f
            let v = f.Direction 0
            same (loop (grad f.Loss) points) (vmap (grad f.Loss) stack)
            same (loop (fun x -> hessianv f.Loss x v) points) (vmap (fun x -> hessianv f.Loss x v) stack)
            same (loop (fun x -> hessianv f.Loss x x) points) (vmap (fun x -> hessianv f.Loss x x) stack)
            same (loop (fun x -> quadraticForm f.Loss x v) points) (vmap (fun x -> quadraticForm f.Loss x v) stack)
            same (loop (jacobian f.Value) points) (vmap (jacobian f.Value) stack))

        law "the derivative of a batch is the batch of derivatives" (fun (f: RandomFunction) ->
            let points, stack = points f
            same (loop (grad f.Loss) points) (grad (fun stack -> Tensor.sum (vmap f.Loss stack)) stack)
            let directions = Tensor.stack 0 (List.init 3 f.Direction)
            let expected = List.mapi (fun i x -> jacobianv f.Value x (f.Direction i)) points |> Tensor.stack 0
            same expected (jacobianv (vmap f.Value) stack directions)
            let expected = List.mapi (fun i x -> hessianv f.Loss x (f.Direction i)) points |> Tensor.stack 0
            same expected (hessianv (fun stack -> Tensor.sum (vmap f.Loss stack)) stack directions))

        law "batches nest" (fun (f: RandomFunction) ->
            let points, stack = points f
            let shifts = Tensor.ofArray [ 2 ] [| 0.0; 0.05 |]
            let both = vmap (fun shift -> vmap (fun x -> f.Loss(x + shift)) stack) shifts

            let expected =
                [ 0.0; 0.05 ] |> List.map (fun shift -> loop (fun x -> f.Loss(x + shift)) points) |> Tensor.stack 0

            same expected both)

        law "a linear program applies, transposes and batches the derivative" (fun (f: RandomFunction) ->
            let x = f.Point
            let value, program = linearize f.Value x
            let u = Generators.direction f.Seed value
            let directions = List.init 3 f.Direction
            same (f.Value x) value
            same (jacobianv f.Value x directions.Head) (program.Apply directions.Head)
            same (jacobianTv f.Value x u) (program.Transpose().Apply u)
            same (program.Apply directions.Head) (program.Transpose().Transpose().Apply directions.Head)
            same (loop program.Apply directions) (program.Batch(3).Apply(Tensor.stack 0 directions))
            let cotangents = List.init 2 (fun i -> Generators.direction (f.Seed + i) value)
            let transposed = program.Transpose()
            same (loop transposed.Apply cotangents) (transposed.Batch(2).Apply(Tensor.stack 0 cotangents))
            let batchThenTranspose = program.Batch(2).Transpose()
            same (loop transposed.Apply cotangents) (batchThenTranspose.Apply(Tensor.stack 0 cotangents)))

        law "a linear program can be differentiated: it is its own derivative" (fun (f: RandomFunction) ->
            let x, v, w = f.Point, f.Direction 0, f.Direction 1
            let _, program = linearize f.Value x
            same (program.Apply w) (jacobianv program.Apply v w)
            let u = Generators.direction f.Seed (program.Apply v)
            same (program.Transpose().Apply u) (jacobianTv program.Apply v u))

        law "a linear program made inside a derivative depends on the point" (fun (f: RandomFunction) ->
            let x, v, w = f.Point, f.Direction 0, f.Direction 1
            let program x = (snd (linearize f.Loss x)).Apply v
            same (gradv (fun x -> gradv f.Loss x v) x w) (gradv program x w)
            same (hessianv f.Loss x v) (grad program x)

            let transposed x =
                Tensor.dot v ((snd (linearize f.Loss x)).Transpose().Apply(Tensor.scalar DType.Float64 1.0))

            same (hessianv f.Loss x v) (grad transposed x))

        law "a linear program prints its inputs, equations and outputs" (fun (f: RandomFunction) ->
            let _, program = linearize f.Value f.Point
            let lines = program.ToString().Split '\n'
            Expect.isTrue "inputs first" (lines[0].StartsWith "inputs v0: Float64[")
            Expect.isTrue "outputs last" ((Array.last lines).StartsWith "outputs ")

            Expect.isTrue
                "one line for each equation"
                (lines[1 .. lines.Length - 2] |> Array.forall (fun line -> line.Contains " = ")))
    ]
