/// Forward and reverse, linear programs, batches and quadratic forms nested up to four deep.
module Curvature.Tests.Properties.PipelineLaws

open FsCheck
open FsCheck.FSharp
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

/// A way to differentiate a scalar function once along a direction, or twice along two.
type Level =
    | Forward
    | Reverse
    | Linearized
    | Transposed
    | ForwardAtShift
    | ReverseAtShift
    | OverDirections
    | OverPoints
    | Product
    | Polarisation

/// Derivatives of derivatives, by the listed ways, innermost first.
type Pipeline =
    {
        Function: RandomFunction
        Levels: Level list
    }

    override this.ToString() = $"%A{this.Levels} of {this.Function}"

[<RequireQualifiedAccess>]
module Pipeline =

    let order level =
        match level with
        | Product
        | Polarisation -> 2
        | _ -> 1

    /// The derivative as a function of the point, with the directions that are left.
    let apply (level: Level) (f: Tensor -> Tensor) (directions: Tensor list) : (Tensor -> Tensor) * Tensor list =
        let v, rest = directions.Head, directions.Tail

        match level with
        | Forward -> (fun x -> gradv f x v), rest
        | Reverse -> (fun x -> Tensor.dot (grad f x) v), rest
        | Linearized -> (fun x -> (snd (linearize f x)).Apply v), rest
        | Transposed ->
            let one = Tensor.scalar DType.Float64 1.0
            (fun x -> Tensor.dot ((snd (linearize f x)).Transpose().Apply one) v), rest
        // The variable of the inner derivative is another one than the outer x, and must not be confused with it.
        | ForwardAtShift -> (fun x -> gradv (fun y -> f (x + y)) (Tensor.zerosLike x) v), rest
        | ReverseAtShift -> (fun x -> Tensor.dot (grad (fun y -> f (x + y)) (Tensor.zerosLike x)) v), rest
        | OverDirections -> (fun x -> vmap (gradv f x) (Tensor.stack 0 [ 2.0 * v; v ]) |> Tensor.item 0 1), rest
        | OverPoints ->
            (fun x -> vmap (fun x -> Tensor.dot (grad f x) v) (Tensor.stack 0 [ x; x + v ]) |> Tensor.item 0 0), rest
        | Product -> (fun x -> Tensor.dot (hessianv f x v) rest.Head), rest.Tail
        | Polarisation ->
            let w = rest.Head
            (fun x -> (quadraticForm f x (v + w) - quadraticForm f x (v - w)) / 4.0), rest.Tail

    /// The derivative by all levels, as a function of the point.
    let run (levels: Level list) (f: Tensor -> Tensor) (directions: Tensor list) : Tensor -> Tensor =
        levels |> List.fold (fun (f, directions) level -> apply level f directions) (f, directions) |> fst

    let depth (levels: Level list) = List.sumBy order levels

    let private upTo4 levels =
        let rec cut total levels =
            match levels with
            | level :: rest when total + order level <= 4 -> level :: cut (total + order level) rest
            | _ -> []

        cut 0 levels

    let private level =
        Gen.elements [
            Forward
            Reverse
            Linearized
            Transposed
            ForwardAtShift
            ReverseAtShift
            OverDirections
            OverPoints
            Product
            Polarisation
        ]

    let private generator =
        gen {
            let! seed = Generators.seed
            let! steps = Gen.choose (1, 3)
            let! first = level
            let! others = Gen.choose (0, 3)
            let! rest = Gen.listOfLength others level

            return { Function = RandomFunction.make seed steps; Levels = upTo4 (first :: rest) }
        }

    let private shrink (pipeline: Pipeline) =
        seq {
            for i in 0 .. pipeline.Levels.Length - 1 do
                if pipeline.Levels.Length > 1 then
                    { pipeline with Levels = List.removeAt i pipeline.Levels }

            for steps in 1 .. pipeline.Function.Steps.Length - 1 do
                { pipeline with Function = RandomFunction.make pipeline.Function.Seed steps }
        }

    let arbitrary = Arb.fromGenShrink (generator, shrink)

type Pipelines =
    static member Pipeline() : Arbitrary<Pipeline> = Pipeline.arbitrary

let private directions (pipeline: Pipeline) = List.init (Pipeline.depth pipeline.Levels) pipeline.Function.Direction

let private law name property = lawOver [ typeof<Pipelines> ] 60 name property

[<Tests>]
let tests =
    testList "Properties.PipelineLaws" [
        law "all pipelines of one order agree" (fun (pipeline: Pipeline) ->
            let f, directions = pipeline.Function, directions pipeline
            let forward = List.replicate directions.Length Forward
            let expected = Pipeline.run forward f.Loss directions f.Point
            Expect.tensorsClose 1e-8 expected (Pipeline.run pipeline.Levels f.Loss directions f.Point))

        law "a pipeline agrees with central differences of one level less" (fun (pipeline: Pipeline) ->
            let f, directions = pipeline.Function, directions pipeline

            let lower =
                Pipeline.run
                    (List.replicate (directions.Length - 1) Forward)
                    f.Loss
                    (List.take (directions.Length - 1) directions)

            let step = 1e-5
            let shift = step * List.last directions
            let difference = (lower (f.Point + shift) - lower (f.Point - shift)) / (2.0 * step)
            Expect.tensorsClose 1e-5 difference (Pipeline.run pipeline.Levels f.Loss directions f.Point))
    ]
