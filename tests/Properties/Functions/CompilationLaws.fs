/// Compiled plans against what runs primitive by primitive: for every primitive between neighbours that a plan may fuse
/// it with, and for whole functions with their derivatives.
module Curvature.Tests.Properties.CompilationLaws

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private same = Expect.tensorsClose 1e-9

let private entries = Entries.all

let private law name property = lawOver [ typeof<RandomFunctions> ] 40 name property

[<Tests>]
let tests =
    testList "Properties.CompilationLaws" [
        for entry in entries do
            test $"a compiled primitive computes what it does alone ({entry})" {
                for dtype in entry.DTypes do
                    let tolerance = if dtype = DType.Float32 then 1e-5 else 1e-12

                    Generators.check 20 (entry.Cases dtype) (fun case ->
                        let compiled =
                            fst (Compile.functionOf (fun operands -> Interpreter.Bind(case.Primitive, operands)))

                        let expected = Interpreter.Bind(case.Primitive, case.Operands)
                        Array.iter2 (Expect.tensorsClose tolerance) expected (compiled case.Operands))
            }

        for entry in entries do
            test $"a compiled primitive computes the same between others ({entry})" {
                let isNumber (t: Tensor) = t.DType <> DType.Int32

                for dtype in entry.DTypes do
                    let tolerance = if dtype = DType.Float32 then 1e-5 else 1e-12

                    Generators.check 20 (entry.Cases dtype) (fun case ->
                        // What goes in is computed, and stays in the domain; what comes out is used twice, and summed.
                        let surrounded (operands: Tensor[]) =
                            let inside =
                                operands
                                |> Array.map (fun t -> if isNumber t then 0.99 * Tensor.maximum t (t - 1.0) else t)

                            Interpreter.Bind(case.Primitive, inside)
                            |> Array.collect (fun result ->
                                if isNumber result then
                                    let moved =
                                        Tensor.concat 0 [ Tensor.flatten result; Tensor.flatten (result + 0.5) ]

                                    [| tanh result * result; Tensor.sum (0.25 * result); moved |]
                                else
                                    [| result; Tensor.flatten result |])

                        Array.iter2
                            (Expect.tensorsClose tolerance)
                            (surrounded case.Operands)
                            (fst (Compile.functionOf surrounded) case.Operands))
            }

        law "a compiled function is the function, at one point and the next" (fun (f: RandomFunction) ->
            let value, loss = Compile.func f.Value, Compile.func f.Loss

            for x in [ f.Point; f.Point + 0.1 * f.Direction 0 ] do
                same (f.Value x) (value x)
                same (f.Loss x) (loss x))

        law "compiled derivatives are the derivatives" (fun (f: RandomFunction) ->
            let x = f.Point
            same (grad f.Loss x) (Compile.func (grad f.Loss) x)
            same (jacobian f.Value x) (Compile.func (jacobian f.Value) x)
            same (hessianv f.Loss x x) (Compile.func (fun x -> hessianv f.Loss x x) x)
            same (quadraticForm f.Loss x x) (Compile.func (fun x -> quadraticForm f.Loss x x) x)
            let stack = Tensor.stack 0 [ x; x + 0.1 * f.Direction 0 ]
            same (vmap (grad f.Loss) stack) (Compile.func (vmap (grad f.Loss)) stack))

        law
            "a compiled family of products multiplies by the Hessian at every point, singly and in blocks"
            (fun (f: RandomFunction) ->
                let family =
                    Compile.family (fun x ->
                        let (value, gradient), product = Linearized.gradient f.Loss x
                        [ value; gradient ], product)

                for x in [ f.Point; f.Point + 0.1 * f.Direction 0 ] do
                    let map = family x
                    let directions = List.init 3 f.Direction
                    let expected = directions |> List.map (hessianv f.Loss x)
                    same (f.Loss x) map.Values[0]
                    same (grad f.Loss x) map.Values[1]
                    same expected.Head (map.Apply directions.Head)
                    same (Tensor.stack 0 expected) (map.ApplyBlock(Tensor.stack 0 directions)))

        law
            "a compiled family of quadratic forms is ⟨v, Hv⟩ at every point, singly and in blocks"
            (fun (f: RandomFunction) ->
                let family =
                    Compile.family (fun x ->
                        let value, form = Linearized.quadraticForm f.Loss x
                        [ value ], form)

                for x in [ f.Point; f.Point + 0.1 * f.Direction 0 ] do
                    let map = family x
                    let directions = List.init 3 f.Direction
                    let expected = directions |> List.map (fun v -> Tensor.dot v (hessianv f.Loss x v))
                    same (f.Loss x) map.Values[0]
                    same expected.Head (map.Apply directions.Head)
                    same (Tensor.stack 0 expected) (map.ApplyBlock(Tensor.stack 0 directions)))

        law "a linear program, simplified or compiled, transposed or not, maps as it did" (fun (f: RandomFunction) ->
            let _, program = linearize f.Value f.Point

            for program in [ program; program.Transpose() ] do
                let like = Tensor.zeros DType.Float64 (List.ofArray program.InputShape)
                let directions = List.init 3 (fun i -> Generators.direction (f.Seed + i) like)
                let expected = directions |> List.map program.Apply
                same expected.Head ((Compile.simplify program).Apply directions.Head)
                same expected.Head ((Compile.program program).Apply directions.Head)
                same (Tensor.stack 0 expected) ((Compile.program program).ApplyBlock(Tensor.stack 0 directions)))
    ]
