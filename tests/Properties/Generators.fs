namespace Curvature.Tests.Properties

open System
open FsCheck
open FsCheck.FSharp
open Curvature
open Curvature.FSharp

/// Random shapes, and random tensors in every memory layout that views can give them.
[<RequireQualifiedAccess>]
module Generators =

    let floating = [ DType.Float32; DType.Float64 ]

    /// The element types of numbers and of indices.
    let everyType = DType.Int32 :: floating

    let seed: Gen<int> = Gen.choose (0, Int32.MaxValue - 1)

    /// Axis lengths: mostly 2 to 4, often 1, sometimes 0.
    let length: Gen<int> = Gen.frequency [ 12, Gen.choose (2, 4); 4, Gen.constant 1; 1, Gen.constant 0 ]

    let lengthFrom1: Gen<int> = Gen.frequency [ 3, Gen.choose (2, 4); 1, Gen.constant 1 ]

    let shapeOf (axisLength: Gen<int>) (lowest: int) (highest: int) : Gen<int[]> =
        gen {
            let! rank = Gen.choose (lowest, highest)
            let! lengths = Gen.listOfLength rank axisLength
            return List.toArray lengths
        }

    /// Shapes of so many axes, some of length 1 or 0.
    let shape lowest highest = shapeOf length lowest highest

    /// Shapes without an empty axis.
    let fullShape lowest highest = shapeOf lengthFrom1 lowest highest

    let shuffle (items: 'T[]) : Gen<'T[]> = Gen.shuffle items

    /// A subset of 0 … count − 1, ascending.
    let subset (count: int) : Gen<int[]> =
        gen {
            let! keep = Gen.listOfLength count (Gen.elements [ true; false ])
            return keep |> List.indexed |> List.filter snd |> List.map fst |> List.toArray
        }

    /// Shapes that broadcast together, and the common one.
    let broadcasting =
        gen {
            let! common = shape 0 3
            let! dropA = Gen.choose (0, common.Length)
            let! onesA = subset common.Length
            let! onesB = subset common.Length
            let ones places = common |> Array.mapi (fun axis length -> if Array.contains axis places then 1 else length)
            let a, b = (ones onesA)[dropA..], ones onesB

            let joined =
                Array.init common.Length (fun axis ->
                    let inA = if axis < dropA then 1 else a[axis - dropA]
                    if inA = 1 then b[axis] else inA)

            return a, b, joined
        }

    /// Independent numbers, uniform on an interval.
    let numbers (low: float) (high: float) (seed: int) (count: int) =
        let random = Random seed
        Array.init count (fun _ -> low + (high - low) * random.NextDouble())

    /// Tensors with the values of a host array whose elements lie in memory in a random way: dense, permuted,
    /// backwards, or apart with NaN in between.
    let layout (dtype: DType) (host: Host) : Gen<Tensor> =
        let rank = host.Shape.Length
        let garbage = if dtype = DType.Int32 then 1e6 else nan

        let permuted =
            gen {
                let! order = shuffle [| 0 .. rank - 1 |]
                let place = order |> Array.map (fun axis -> host.Shape[axis])
                // order[i] is the place of stored axis i, so that the permutation by its inverse restores the host's
                // axes.
                let inverse = Array.init rank (fun axis -> Array.IndexOf(order, axis))

                let stored =
                    Host.init place (fun index -> Host.at host (Array.init rank (fun axis -> index[inverse[axis]])))

                return Host.toTensor dtype stored |> Tensor.permute (List.ofArray inverse)
            }

        let backwards =
            gen {
                let! axis = Gen.choose (0, rank - 1)
                let flip (index: int[]) = index |> Array.updateAt axis (host.Shape[axis] - 1 - index[axis])
                return Host.init host.Shape (flip >> Host.at host) |> Host.toTensor dtype |> Tensor.reverse axis
            }

        let apart =
            gen {
                let! axis = Gen.choose (0, rank - 1)
                let! step = Gen.choose (1, 3)
                let! start = Gen.choose (0, 2)
                let room = host.Shape |> Array.updateAt axis (start + step * host.Shape[axis] + 1)

                let stored =
                    Host.init room (fun index ->
                        let place = index[axis] - start

                        if place >= 0 && place % step = 0 && place / step < host.Shape[axis] then
                            Host.at host (index |> Array.updateAt axis (place / step))
                        else
                            garbage)

                return Host.toTensor dtype stored |> Tensor.sliceStep axis start host.Shape[axis] step
            }

        let dense = Gen.constant (Host.toTensor dtype host)
        if rank = 0 then dense else Gen.oneof [ dense; permuted; backwards; apart ]

    /// A tensor of uniform random numbers in a random layout; now and then the same number everywhere, which takes no
    /// memory.
    let between (low: float) (high: float) (dtype: DType) (shape: int[]) : Gen<Tensor> =
        let varied =
            gen {
                let! seed = seed
                return! layout dtype { Shape = shape; Values = numbers low high seed (Host.size shape) }
            }

        let uniform =
            gen {
                let! seed = seed
                return Tensor.full dtype (List.ofArray shape) ((numbers low high seed 1)[0])
            }

        Gen.frequency [ 6, varied; 1, uniform ]

    /// Whole numbers from 0 to count − 1, in a random layout.
    let positions (count: int) (shape: int[]) : Gen<Tensor> =
        gen {
            let! seed = seed
            let random = Random seed
            let values = Array.init (Host.size shape) (fun _ -> float (random.Next(max 1 count)))
            return! layout DType.Int32 { Shape = shape; Values = values }
        }

    /// Numbers on (−2, 2), away from 0 and from each other's kinks.
    let ordinary dtype shape = between -2.0 2.0 dtype shape

    /// Stacks of matrices with 2, 4, 6 … added along the diagonal: square ones have a positive definite symmetric part,
    /// and eigenvalues and singular values are apart.
    let matrices (leading: int[]) (rows: int) (columns: int) (dtype: DType) : Gen<Tensor> =
        gen {
            let! noise = between -0.3 0.3 dtype (Array.append leading [| rows; columns |])
            let steps = Tensor.diag (2.0 * Tensor.arange dtype (max rows columns) + 2.0)
            return noise + (steps |> Tensor.slice 0 0 rows |> Tensor.slice 1 0 columns)
        }

    let map2 (f: float -> float -> float) (a: Tensor) (b: Tensor) : Tensor =
        Tensor.ofArray (List.ofArray a.Shape) (Array.map2 f (a.ToArray()) (b.ToArray())) |> Tensor.convert a.DType

    /// A dense tensor of another's signature, uniform on (−1, 1): a tangent or a cotangent.
    let direction (seed: int) (like: Tensor) : Tensor =
        Tensor.ofArray (List.ofArray like.Shape) (numbers -1.0 1.0 seed like.Size) |> Tensor.convert like.DType

    /// All subsets of a set of numbers but the empty one.
    let nonemptySubsets (items: int list) : int list list =
        let rec all items =
            match items with
            | [] -> [ [] ]
            | first :: rest -> let tails = all rest in tails @ (tails |> List.map (fun tail -> first :: tail))

        all items |> List.filter (List.isEmpty >> not)

    /// Checks a law on so many random cases; a failure prints the case and the numbers that replay it.
    let check (count: int) (cases: Gen<'T>) (law: 'T -> unit) : unit =
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(count).WithQuietOnSuccess true,
            Prop.forAll (Arb.fromGen cases) law
        )
