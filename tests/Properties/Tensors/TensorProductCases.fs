namespace Curvature.Tests.Properties

open System
open System.Collections.Generic
open FsCheck
open FsCheck.FSharp
open Curvature
open Curvature.FSharp
open Curvature.Tests.Properties.Comparisons

/// Random products of tensors.
[<RequireQualifiedAccess>]
module TensorProductCases =

    /// Σ over all labels, the plainest way.
    let private contract (left: string) (right: string) (result: string) (a: Host) (b: Host) =
        let lengths = Seq.append (Seq.zip left a.Shape) (Seq.zip right b.Shape) |> Seq.distinctBy fst |> dict

        let labels = Seq.append left right |> Seq.distinct |> Seq.toArray
        let inner = labels |> Array.filter (fun label -> not (result.Contains label))
        let length label = lengths[label]

        let select (operand: string) (values: IDictionary<char, int>) =
            operand |> Seq.map (fun label -> values[label]) |> Seq.toArray

        Host.init (result |> Seq.map length |> Seq.toArray) (fun outer ->
            Host.indices (inner |> Array.map length)
            |> Array.sumBy (fun index ->
                let values = Seq.append (Seq.zip result outer) (Seq.zip inner index) |> dict
                Host.at a (select left values) * Host.at b (select right values)))

    let private einsum dtype =
        gen {
            let! formula =
                Gen.elements [
                    "ij,jk->ik"
                    "ij,kj->ki"
                    "bij,bjk->bik"
                    "i,j->ji"
                    "ij,ij->"
                    "ij,j->i"
                    "bi,bi->b"
                    "aBc,dB->cda"
                    " ij , jk -> k i "
                ]

            let! lengths = Gen.listOfLength 128 Generators.length
            let parts = formula.Replace(" ", "").Split([| ","; "->" |], StringSplitOptions.None)
            let shape (labels: string) = labels |> Seq.map (fun label -> lengths[int label]) |> Seq.toArray
            let! a = Generators.ordinary dtype (shape parts[0])
            let! b = Generators.ordinary dtype (shape parts[1])
            let expected = contract parts[0] parts[1] parts[2] (Host.ofTensor a) (Host.ofTensor b)
            return comparison $"{formula}: {shown [ a; b ]}" 1e-14 dtype (Tensor.einsum formula a b) expected
        }

    let private matmul dtype =
        gen {
            let! batchA, batchB, batch = Generators.broadcasting
            let! m = Generators.length
            let! inner = Generators.length
            let! n = Generators.length
            let! vectorA = Gen.elements [ true; false; false ]
            let! vectorB = Gen.elements [ true; false; false ]
            // A vector goes with a matrix or another vector only.
            let flat = vectorA || vectorB
            let batchA, batchB, batch = if flat then [||], [||], [||] else batchA, batchB, batch
            let! a = Generators.ordinary dtype (Array.append batchA (if vectorA then [| inner |] else [| m; inner |]))
            let! b = Generators.ordinary dtype (Array.append batchB (if vectorB then [| inner |] else [| inner; n |]))
            let hostA, hostB = Host.ofTensor a, Host.ofTensor b
            let rows = if vectorA then [||] else [| m |]
            let columns = if vectorB then [||] else [| n |]

            let expected =
                Host.init (Array.concat [ batch; rows; columns ]) (fun index ->
                    let outer = index[.. batch.Length - 1]
                    let i = if vectorA then [||] else [| index[batch.Length] |]
                    let j = if vectorB then [||] else [| Array.last index |]

                    let entry (h: Host) batchRank tail =
                        let trimmed = outer[outer.Length - batchRank ..] in
                        Host.atBroadcast h (Array.append trimmed tail)

                    Seq.sum (
                        seq {
                            for k in 0 .. inner - 1 ->
                                entry hostA batchA.Length (Array.append i [| k |])
                                * entry hostB batchB.Length (Array.append [| k |] j)
                        }
                    ))

            return comparison (shown [ a; b ]) 1e-14 dtype (Tensor.matmul a b) expected
        }

    let private dot dtype =
        gen {
            let! shape = Generators.shape 0 3
            let! a = Generators.ordinary dtype shape
            let! b = Generators.ordinary dtype shape
            let expected = Array.map2 (*) (a.ToArray()) (b.ToArray()) |> Array.sum
            return comparison (shown [ a; b ]) 1e-14 dtype (Tensor.dot a b) (scalarHost expected)
        }

    let private outer dtype =
        gen {
            let! m = Generators.length
            let! n = Generators.length
            let! a = Generators.ordinary dtype [| m |]
            let! b = Generators.ordinary dtype [| n |]
            let expected = contract "i" "j" "ij" (Host.ofTensor a) (Host.ofTensor b)
            return comparison (shown [ a; b ]) 1e-14 dtype (Tensor.outer a b) expected
        }

    let all: (string * (DType -> Gen<Comparison>)) list =
        [ "einsum", einsum; "matmul", matmul; "dot", dot; "outer", outer ]
