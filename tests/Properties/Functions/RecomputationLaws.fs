/// Functions with checkpoints against the same functions without them.
module Curvature.Tests.Properties.RecomputationLaws

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private same = Expect.tensorsClose 1e-9

let private law name property = lawOver [ typeof<RandomFunctions> ] 40 name property

/// The function with checkpoints that its seed chooses: around single steps, which take the last value and capture the
/// others or take some as arguments; around several steps; around checkpoints.
type private Checkpointed(f: RandomFunction) =

    /// One step more, as one checkpoint of the values in one of three ways, or as it is.
    let step (way: int) (step: Step) (values: Tensor list) : Tensor list =
        match way % 4 with
        | 0 -> Tensor.checkpoint (fun last -> step.Next(last :: values.Tail)) values.Head :: values
        | 1 -> (Tensor.checkpointOf (fun values -> [ step.Next values ]) values)[0] :: values
        | 2 -> Tensor.checkpoint (fun _ -> step.Next values) values.Head :: values
        | _ -> step.Next values :: values

    /// All values, the last one first.
    member _.Values(x: Tensor) : Tensor list =
        let random = Random f.Seed

        let rec run (steps: Step list) (values: Tensor list) =
            match steps with
            | [] -> values
            | _ when steps.Length > 1 && random.Next 3 = 0 ->
                let first, rest = List.splitAt (1 + random.Next steps.Length) steps
                let ways = first |> List.map (fun _ -> random.Next 4)

                Tensor.checkpointOf
                    (fun values -> (values, ways, first) |||> List.fold2 (fun v way s -> step way s v))
                    values
                |> run rest
            | first :: rest -> step (random.Next 4) first values |> run rest

        run f.Steps [ x ]

    member this.Value(x: Tensor) : Tensor = List.head (this.Values x)

    member this.Loss(x: Tensor) : Tensor =
        this.Values x
        |> List.mapi (fun i value ->
            let weights =
                Generators.numbers 0.2 1.0 (f.Seed + i) value.Size |> Tensor.ofArray (List.ofArray value.Shape)

            Tensor.sum (Tensor.convert value.DType weights * value))
        |> List.reduce (+)

let private inFamily (loss: Tensor -> Tensor) =
    Compile.family (fun x ->
        let (value, gradient), product = Linearized.gradient loss x
        [ value; gradient ], product),
    Compile.family (fun x ->
        let value, form = Linearized.quadraticForm loss x
        [ value ], form)

[<Tests>]
let tests =
    testList "Properties.RecomputationLaws" [
        law "checkpoints change neither values nor derivatives, in any mix of modes" (fun (f: RandomFunction) ->
            let g = Checkpointed f
            let x, v, w = f.Point, f.Direction 0, f.Direction 1
            Expect.sameBits (f.Value x) (g.Value x)
            same (grad f.Loss x) (grad g.Loss x)
            same (jacobianv f.Value x v) (jacobianv g.Value x v)
            same (jacobian f.Value x) (jacobian g.Value x)
            same (hessianv f.Loss x v) (hessianv g.Loss x v)
            same (quadraticForm f.Loss x v) (quadraticForm g.Loss x v)
            same (grad (fun x -> quadraticForm f.Loss x v) x) (grad (fun x -> quadraticForm g.Loss x v) x)
            same (jacobianv (grad f.Loss) x v) (jacobianv (grad g.Loss) x v)
            same (grad (fun x -> gradv f.Loss x v) x) (grad (fun x -> gradv g.Loss x v) x)
            let stack = Tensor.stack 0 [ x; x + 0.1 * w ]
            same (vmap (grad f.Loss) stack) (vmap (grad g.Loss) stack)
            same (vmap (hessianv f.Loss x) stack) (vmap (hessianv g.Loss x) stack)
            same (grad (vmap f.Loss >> Tensor.sum) stack) (grad (vmap g.Loss >> Tensor.sum) stack))

        law "a compiled function with checkpoints, and its derivatives, are those without" (fun (f: RandomFunction) ->
            let g = Checkpointed f
            let x = f.Point
            same (f.Value x) (Compile.func g.Value x)
            same (grad f.Loss x) (Compile.func (grad g.Loss) x)
            same (hessianv f.Loss x x) (Compile.func (fun x -> hessianv g.Loss x x) x)
            same (quadraticForm f.Loss x x) (Compile.func (fun x -> quadraticForm g.Loss x x) x)
            let _, program = linearize g.Value x
            let _, plain = linearize f.Value x
            let v = f.Direction 0
            let u = Generators.direction (f.Seed + 3) (plain.Apply v)
            same (plain.Apply v) ((Compile.program program).Apply v)
            same (plain.Apply v) ((Compile.simplify program).Apply v)
            same (plain.Apply v) ((Compile.program (Compile.simplify program)).Apply v)
            same (plain.Transpose().Apply u) ((Compile.program (program.Transpose())).Apply u))

        law "compiled products and forms with checkpoints are those without, at every point" (fun (f: RandomFunction) ->
            let product, form = inFamily (Checkpointed f).Loss

            for x in [ f.Point; f.Point + 0.1 * f.Direction 0 ] do
                let products, forms = product x, form x
                let directions = List.init 3 f.Direction
                same (f.Loss x) products.Values[0]
                same (grad f.Loss x) products.Values[1]

                for v in directions do
                    let expected = hessianv f.Loss x v
                    same expected (products.Apply v)
                    same (Tensor.dot v expected) (forms.Apply v)

                let block = Tensor.stack 0 directions
                Expect.sameBits (Tensor.stack 0 (directions |> List.map products.Apply)) (products.ApplyBlock block)
                Expect.sameBits (Tensor.stack 0 (directions |> List.map forms.Apply)) (forms.ApplyBlock block))
    ]
