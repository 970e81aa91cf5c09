namespace Curvature.Tests.Properties

open FsCheck
open FsCheck.FSharp
open Curvature

/// Cases of contractions, indexing, cumulative sums and the softmax family.
module internal ProductCases =


    let private einsum =
        StructureCases.entry<Einsum>
            Generators.floating
            [ 0; 1 ]
            (fun () ->
                [
                    Einsum([| 0; 1 |], [| 1; 2 |], [| 0; 2 |])
                    Einsum([| 0; 1 |], [| 2; 1 |], [| 0; 2 |])
                    Einsum([| 0; 1 |], [| 1; 2 |], [| 2; 0 |])
                    Einsum([| 0 |], [| 1 |], [| 0; 1 |])
                ])
            (fun dtype ->
                gen {
                    let! batch = Gen.choose (0, 1)
                    let! left = Gen.choose (0, 2)
                    let! right = Gen.choose (0, 2)
                    let! inner = Gen.choose (0, 2)
                    let! names = Generators.shuffle [| 0 .. batch + left + right + inner - 1 |]
                    let! lengths = Gen.listOfLength names.Length Generators.length
                    let part start count = names[start .. start + count - 1]
                    let batches, lefts = part 0 batch, part batch left
                    let rights, inners = part (batch + left) right, part (batch + left + right) inner
                    let! a = Generators.shuffle (Array.concat [ batches; lefts; inners ])
                    let! b = Generators.shuffle (Array.concat [ batches; rights; inners ])
                    let! c = Generators.shuffle (Array.concat [ batches; lefts; rights ])
                    let shape (labels: int[]) = labels |> Array.map (fun label -> lengths[label])
                    let! x = Generators.ordinary dtype (shape a)
                    let! y = Generators.ordinary dtype (shape b)
                    return Einsum(a, b, c) :> Primitive, [ x; y ]
                })

    /// The shapes of a gather: of the table, the index and what is picked, with the axis and the number of shared axes.
    let private gatherShapes =
        gen {
            let! batch = Generators.shape 0 1
            let! outer = Generators.shape 0 1
            let! length = Generators.lengthFrom1
            let! count = Generators.shape 0 2
            let! inner = Generators.shape 0 1
            let table = Array.concat [ batch; outer; [| length |]; inner ]
            let picked = Array.concat [ batch; outer; count; inner ]
            return batch.Length + outer.Length, batch.Length, length, table, Array.append batch count, picked
        }

    let private gather =
        StructureCases.entry<Indexing.Gather>
            StructureCases.everyType
            [ 0 ]
            (fun () -> [ Indexing.Gather(0, 0); Indexing.Gather(1, 0); Indexing.Gather(1, 1) ])
            (fun dtype ->
                gen {
                    let! axis, batchAxes, length, table, index, _ = gatherShapes
                    let! table = Generators.ordinary dtype table
                    let! index = Generators.positions length index
                    return Indexing.Gather(axis, batchAxes) :> Primitive, [ table; index ]
                })

    let private scatterAdd =
        StructureCases.entry<Indexing.ScatterAdd>
            Generators.floating
            [ 1 ]
            (fun () ->
                [
                    Indexing.ScatterAdd(0, 0, 3)
                    Indexing.ScatterAdd(0, 0, 4)
                    Indexing.ScatterAdd(1, 0, 3)
                    Indexing.ScatterAdd(1, 1, 3)
                ])
            (fun dtype ->
                gen {
                    let! axis, batchAxes, length, _, index, picked = gatherShapes
                    let! index = Generators.positions length index
                    let! updates = Generators.ordinary dtype picked
                    return Indexing.ScatterAdd(axis, batchAxes, length) :> Primitive, [ index; updates ]
                })

    let private argMaximum =
        StructureCases.entry<Indexing.ArgMaximum>
            Generators.floating
            []
            (fun () -> [ Indexing.ArgMaximum() ])
            (fun dtype ->
                gen {
                    let! rows = Generators.shape 0 2
                    let! columns = Generators.lengthFrom1
                    let! operand = Generators.ordinary dtype (Array.append rows [| columns |])
                    return Indexing.ArgMaximum() :> Primitive, [ operand ]
                })
        |> StructureCases.held

    let private argSort =
        StructureCases.entry<Indexing.ArgSort>
            Generators.everyType
            []
            (fun () -> [ Indexing.ArgSort false; Indexing.ArgSort true ])
            (fun dtype ->
                gen {
                    let! shape = Generators.shape 1 3
                    let! descending = Gen.elements [ true; false ]
                    let! operand = Generators.ordinary dtype shape
                    return Indexing.ArgSort descending :> Primitive, [ operand ]
                })
        |> StructureCases.held

    let private cumulativeSum =
        StructureCases.entry<Indexing.CumulativeSum>
            Generators.floating
            [ 0 ]
            (fun () ->
                [
                    Indexing.CumulativeSum(0, false)
                    Indexing.CumulativeSum(0, true)
                    Indexing.CumulativeSum(1, false)
                ])
            (fun dtype ->
                gen {
                    let! shape = Generators.shape 1 3
                    let! axis = Gen.choose (0, shape.Length - 1)
                    let! reverse = Gen.elements [ true; false ]
                    let! operand = Generators.ordinary dtype shape
                    return Indexing.CumulativeSum(axis, reverse) :> Primitive, [ operand ]
                })

    let private rows (dtype: DType) =
        gen {
            let! rows = Generators.shape 0 2
            let! columns = Generators.lengthFrom1
            return! Generators.ordinary dtype (Array.append rows [| columns |])
        }

    let private logSumExp =
        StructureCases.entry<Softmax.LogSumExp> Generators.floating [] (fun () -> [ Softmax.LogSumExp() ]) (fun dtype ->
            gen {
                let! operand = rows dtype
                return Softmax.LogSumExp() :> Primitive, [ operand ]
            })

    let private softmax =
        StructureCases.entry<Softmax.Probabilities>
            Generators.floating
            []
            (fun () -> [ Softmax.Probabilities() ])
            (fun dtype ->
                gen {
                    let! operand = rows dtype
                    return Softmax.Probabilities() :> Primitive, [ operand ]
                })

    let private crossEntropy =
        StructureCases.entry<Softmax.CrossEntropy>
            Generators.floating
            []
            (fun () -> [ Softmax.CrossEntropy() ])
            (fun dtype ->
                gen {
                    let! logits = rows dtype
                    // Targets need not be distributions for the rules to hold.
                    let! targets = Generators.between 0.0 1.5 dtype logits.Shape
                    return Softmax.CrossEntropy() :> Primitive, [ logits; targets ]
                })

    let private norm =
        StructureCases.entry<Norm> Generators.floating [] (fun () -> [ Norm 0; Norm 1 ]) (fun dtype ->
            gen {
                let! signs = rows dtype
                let! lengths = Generators.between 0.3 2.0 dtype signs.Shape
                let! kept = Gen.choose (0, signs.Rank)
                // A norm has a kink at 0, which differences near it would see.
                let isPositive = FSharp.Tensor.greater signs (FSharp.Tensor.zerosLike signs)
                return Norm kept :> Primitive, [ FSharp.Tensor.where isPositive lengths -lengths ]
            })

    let entries: Entry list =
        [
            einsum
            gather
            scatterAdd
            argMaximum
            argSort
            cumulativeSum
            softmax
            logSumExp
            crossEntropy
            norm
        ]
