/// Tensors against loops on the host.
module Curvature.Tests.Properties.TensorLaws

open System
open System.Reflection
open FsCheck
open FsCheck.FSharp
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

/// A chain of rearrangements: views of views of views.
[<NoEquality; NoComparison>]
type Chain =
    {
        Seed: int
        DType: DType
        Start: Tensor
        Moves: Move list
    }

    override this.ToString() =
        let moves = this.Moves |> List.map _.Text |> String.concat "\n  "
        $"seed {this.Seed}, from {this.Start}\n  {moves}"

let private trials = 40

let private agree (comparison: Comparison) =
    // Single precision is that much coarser than double.
    let coarser = if comparison.DType = DType.Float32 then 2.0 ** 29.0 else 1.0

    Expect.isTrue $"{comparison.Actual.DType} is not {comparison.DType}" (comparison.Actual.DType = comparison.DType)

    Expect.tensor
        (comparison.Tolerance * coarser)
        (List.ofArray comparison.Expected.Shape)
        comparison.Expected.Values
        comparison.Actual

let private check dtypes cases =
    for dtype in dtypes do
        Generators.check trials (cases dtype) agree

/// Moves on from a shape by random steps that keep the array small.
let private chain seed dtype (start: Tensor) count =
    let random = Random seed

    let rec extend (shape: int[]) moves count =
        if count = 0 then
            List.rev moves
        else
            let candidates =
                Moves.draw random shape
                |> List.map (fun move ->
                    move, (move.Loop { Shape = shape; Values = Array.zeroCreate (Host.size shape) }).Shape)
                |> List.filter (fun (_, shape) -> Host.size shape <= 200 && shape.Length <= 5)

            let move, shape = candidates[random.Next candidates.Length]
            extend shape (move :: moves) (count - 1)

    {
        Seed = seed
        DType = dtype
        Start = start
        Moves = extend start.Shape [] count
    }

let private chains dtype =
    let generator =
        gen {
            let! shape = Generators.shape 0 3
            let! start = Generators.ordinary dtype shape
            let! seed = Generators.seed
            let! count = Gen.choose (1, 8)
            return chain seed dtype start count
        }

    Arb.fromGenShrink (
        generator,
        (fun chain ->
            seq { for count in 1 .. chain.Moves.Length - 1 -> { chain with Moves = List.take count chain.Moves } })
    )

let private functions = TensorCases.all |> Seq.map (fun (name, _, _) -> name)
let private operators = TensorCases.operators |> Seq.map (fun (name, _) -> name)

[<Tests>]
let tests =
    testList "Properties.TensorLaws" [
        test "every function of the module Tensor is compared with a loop" {
            let functions =
                typeof<Tensor>
                    .Assembly.GetType("Curvature.FSharp.Tensor")
                    .GetMethods(BindingFlags.Public ||| BindingFlags.Static ||| BindingFlags.DeclaredOnly)
                |> Array.map _.Name
                // Twins that the compiler makes of functions that it resolves where they are called.
                |> Array.filter (fun name -> not (name.EndsWith "$W"))

            let names (items: string seq) = items |> Seq.distinct |> Seq.sort |> List.ofSeq
            let compared = TensorCases.all |> List.map (fun (name, _, _) -> name)
            Expect.equal "names compared" (names functions) (names compared)
        }

        for name in functions do
            test $"a function of tensors does what the loop does ({name})" {
                let _, dtypes, cases = TensorCases.all |> List.find (fun (other, _, _) -> other = name)
                check dtypes cases
            }

        for name in operators do
            test $"an operator does what the loop does ({name})" {
                check Generators.floating (TensorCases.operators |> List.find (fun (other, _) -> other = name) |> snd)
            }

        for dtype in [ DType.Float32; DType.Float64; DType.Int32 ] do
            test $"chains of views keep the right elements in the right places ({dtype})" {
                let law (chain: Chain) =
                    let actual = chain.Moves |> List.fold (fun t move -> move.Move t) chain.Start
                    let expected = chain.Moves |> List.fold (fun h move -> move.Loop h) (Host.ofTensor chain.Start)
                    Expect.isTrue "the element type stays" (actual.DType = dtype)
                    Expect.tensor 0.0 (List.ofArray expected.Shape) expected.Values actual
                    // What is computed with the view reads the same elements.
                    let dense = Host.toTensor dtype expected

                    if dtype <> DType.Int32 then
                        Expect.tensorsClose 1e-6 (Tensor.sum dense) (Tensor.sum actual)
                        Expect.sameBits (dense + 1.0) (actual + 1.0)
                        Expect.tensorsClose 1e-6 (Tensor.dot dense dense) (Tensor.dot actual actual)

                    Expect.sameBits (Tensor.convert DType.Float64 dense) (Tensor.convert DType.Float64 actual)

                Check.One(
                    Config.QuickThrowOnFailure.WithMaxTest(300).WithQuietOnSuccess true,
                    Prop.forAll (chains dtype) law
                )
            }

        test "values come out in every element type" {
            Generators.check
                50
                (Generators.shape 0 3 |> Gen.bind (Generators.ordinary DType.Float64))
                (fun (t: Tensor) ->
                    Expect.close 1e-6 (t.ToArray()) (t.ToSingleArray() |> Array.map float)
                    Expect.equal "t.ToInt32Array()" (t.ToArray() |> Array.map int) (t.ToInt32Array())
                    Expect.equal "t.Size" (Host.size t.Shape) t.Size
                    Expect.equal "t.Rank" t.Shape.Length t.Rank)
        }
    ]
