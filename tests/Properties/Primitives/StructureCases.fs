namespace Curvature.Tests.Properties

open FsCheck
open FsCheck.FSharp
open Curvature

/// Cases of the primitives that move elements.
module internal StructureCases =

    let everyType = Generators.everyType

    let entry<'T>
        (dtypes: DType list)
        affine
        (variants: unit -> Primitive list)
        (cases: DType -> Gen<Primitive * Tensor list>)
        =
        {
            Name = typeof<'T>.Name
            Type = typeof<'T>
            DTypes = dtypes
            Affine = affine
            Variants = variants
            Cases =
                fun dtype ->
                    gen {
                        let! primitive, operands = cases dtype
                        let! seed = Generators.seed

                        return
                            {
                                Primitive = primitive
                                Operands = List.toArray operands
                                Held = []
                                Seed = seed
                            }
                    }
        }

    /// A primitive whose derivative is 0 by definition, whatever its values do.
    let held (entry: Entry) =
        { entry with
            Cases = fun dtype -> entry.Cases dtype |> Gen.map (fun case -> { case with Held = [ 0 ] })
        }

    let private single (primitive: #Primitive) (operand: Tensor) = primitive :> Primitive, [ operand ]

    /// One number for each axis.
    let private each (shape: int[]) (generator: int -> Gen<int>) : Gen<int[]> =
        gen {
            let! numbers = shape |> Array.map generator |> Gen.sequenceToList
            return List.toArray numbers
        }

    /// Another way to lay the same number of elements out in axes.
    let private regrouped (shape: int[]) : Gen<int[]> =
        let rec factors n =
            if n < 2 then
                []
            else
                let p = Seq.find (fun p -> n % p = 0) (seq { 2..n })
                p :: factors (n / p)

        gen {
            let! rank = Gen.choose (1, 4)
            let primes = if Array.contains 0 shape then [ 0; 2; 3 ] else factors (Host.size shape)
            let! places = Gen.listOfLength primes.Length (Gen.choose (0, rank - 1))
            let lengths = Array.create rank 1
            List.iter2 (fun place prime -> lengths[place] <- lengths[place] * prime) places primes
            return if Host.size shape = 1 && rank = 4 then [||] else lengths
        }

    let private broadcast =
        entry<Broadcast>
            everyType
            [ 0 ]
            (fun () ->
                [ Broadcast([| 2; 3 |], [| 1 |]); Broadcast([| 2; 3 |], [| 0 |]); Broadcast([| 3; 3 |], [| 1 |]) ])
            (fun dtype ->
                gen {
                    let! shape = Generators.shape 0 4
                    let! dims = Generators.subset shape.Length
                    let! stretch = Gen.listOfLength dims.Length (Gen.elements [ true; false; false ])

                    let source =
                        Array.map2
                            (fun axis isStretched -> if isStretched then 1 else shape[axis])
                            dims
                            (List.toArray stretch)

                    let! operand = Generators.ordinary dtype source
                    return single (Broadcast(shape, dims)) operand
                })

    let private sum =
        entry<Sum>
            Generators.floating
            [ 0 ]
            (fun () -> [ Sum [||]; Sum [| 0 |]; Sum [| 1 |]; Sum [| 0; 1 |] ])
            (fun dtype ->
                gen {
                    let! shape = Generators.shape 0 4
                    let! axes = Generators.subset shape.Length
                    let! operand = Generators.ordinary dtype shape
                    return single (Sum axes) operand
                })

    let private reshape =
        entry<Structure.Reshape>
            everyType
            [ 0 ]
            (fun () -> [ Structure.Reshape [| 6 |]; Structure.Reshape [| 2; 3 |]; Structure.Reshape [| 3; 2 |] ])
            (fun dtype ->
                gen {
                    let! shape = Generators.shape 0 3
                    let! target = regrouped shape
                    let! operand = Generators.ordinary dtype shape
                    return single (Structure.Reshape target) operand
                })

    let private permute =
        entry<Structure.Permute>
            everyType
            [ 0 ]
            (fun () -> [ Structure.Permute [| 0; 1 |]; Structure.Permute [| 1; 0 |]; Structure.Permute [| 1; 0; 2 |] ])
            (fun dtype ->
                gen {
                    let! shape = Generators.shape 0 4
                    let! order = Generators.shuffle [| 0 .. shape.Length - 1 |]
                    let! operand = Generators.ordinary dtype shape
                    return single (Structure.Permute order) operand
                })

    let private reverse =
        entry<Structure.ReverseAxes>
            everyType
            [ 0 ]
            (fun () -> [ for axes in [ [| 0 |]; [| 1 |]; [| 0; 1 |] ] -> Structure.ReverseAxes axes ])
            (fun dtype ->
                gen {
                    let! shape = Generators.shape 1 3
                    let! axes = Generators.subset shape.Length
                    let! operand = Generators.ordinary dtype shape
                    return single (Structure.ReverseAxes axes) operand
                })

    let private slice =
        entry<Structure.Slice>
            everyType
            [ 0 ]
            (fun () ->
                [
                    Structure.Slice([| 0 |], [| 2 |], [| 1 |])
                    Structure.Slice([| 1 |], [| 2 |], [| 1 |])
                    Structure.Slice([| 0 |], [| 3 |], [| 1 |])
                    Structure.Slice([| 0 |], [| 2 |], [| 2 |])
                ])
            (fun dtype ->
                gen {
                    let! count = Generators.shape 1 3
                    let! start = each count (fun _ -> Gen.choose (0, 2))
                    let! steps = each count (fun _ -> Gen.choose (1, 3))
                    let! rest = each count (fun _ -> Gen.choose (0, 2))

                    let shape =
                        Array.init count.Length (fun axis ->
                            start[axis] + max 0 ((count[axis] - 1) * steps[axis] + 1) + rest[axis])

                    let! operand = Generators.ordinary dtype shape
                    return single (Structure.Slice(start, count, steps)) operand
                })

    let private pad =
        entry<Structure.Pad>
            everyType
            [ 0 ]
            (fun () ->
                [
                    Structure.Pad([| 0 |], [| 0 |], [| 1 |])
                    Structure.Pad([| 1 |], [| 0 |], [| 0 |])
                    Structure.Pad([| 0 |], [| 1 |], [| 0 |])
                ])
            (fun dtype ->
                gen {
                    let! shape = Generators.shape 1 3
                    let amount _ = Gen.choose (0, 2)
                    let! before = each shape amount
                    let! interior = each shape amount
                    let! after = each shape amount
                    let! operand = Generators.ordinary dtype shape
                    return single (Structure.Pad(before, interior, after)) operand
                })

    let private split =
        entry<Structure.Split>
            everyType
            [ 0 ]
            (fun () ->
                [ Structure.Split(0, [| 1; 2 |]); Structure.Split(0, [| 2; 1 |]); Structure.Split(1, [| 1; 2 |]) ])
            (fun dtype ->
                gen {
                    let! shape = Generators.shape 1 3
                    let! axis = Gen.choose (0, shape.Length - 1)
                    let! pieces = Gen.choose (1, 3)
                    let! sizes = Gen.listOfLength pieces Generators.length
                    let! operand = Generators.ordinary dtype (shape |> Array.updateAt axis (List.sum sizes))
                    return single (Structure.Split(axis, List.toArray sizes)) operand
                })

    let private concat =
        entry<Structure.Concat>
            everyType
            [ 0; 1; 2 ]
            (fun () -> [ Structure.Concat 0; Structure.Concat 1 ])
            (fun dtype ->
                gen {
                    let! shape = Generators.shape 1 3
                    let! axis = Gen.choose (0, shape.Length - 1)
                    let! pieces = Gen.choose (1, 3)
                    let! sizes = Gen.listOfLength pieces Generators.length

                    let! operands =
                        sizes
                        |> List.map (fun size -> Generators.ordinary dtype (Array.updateAt axis size shape))
                        |> Gen.sequenceToList

                    return Structure.Concat axis :> Primitive, operands
                })

    let private convert =
        entry<Structure.Convert>
            everyType
            [ 0 ]
            (fun () ->
                [ Structure.Convert DType.Float32; Structure.Convert DType.Float64; Structure.Convert DType.Int32 ])
            (fun dtype ->
                gen {
                    let! shape = Generators.shape 0 3
                    let! target = Gen.elements Generators.floating
                    let! operand = Generators.ordinary dtype shape
                    return single (Structure.Convert target) operand
                })

    let private stopGradient =
        entry<Structure.StopGradient> everyType [] (fun () -> [ Structure.StopGradient() ]) (fun dtype ->
            gen {
                let! shape = Generators.shape 0 3
                let! operand = Generators.ordinary dtype shape
                return single (Structure.StopGradient()) operand
            })
        |> held

    let entries: Entry list =
        [ broadcast; sum; reshape; permute; reverse; slice; pad; split; concat; convert; stopGradient ]
