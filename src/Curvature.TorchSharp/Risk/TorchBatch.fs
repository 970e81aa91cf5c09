namespace Curvature.TorchSharp

open System.Collections
open System.Runtime.CompilerServices
open global.TorchSharp
open Curvature

/// What batches are made of, whatever their type.
[<AbstractClass; Sealed>]
type TorchBatch =

    /// The first tensor with an axis in a batch: the batch itself, or a part of a tuple, a list or a dictionary.
    static member private First(batch: objnull) : torch.Tensor voption =
        match batch with
        | :? torch.Tensor as t -> if t.Dimensions > 0L then ValueSome t else ValueNone
        | :? ITuple as parts ->
            seq { for i in 0 .. parts.Length - 1 -> parts[i] }
            |> Seq.map TorchBatch.First
            |> Seq.tryFind _.IsSome
            |> Option.defaultValue ValueNone
        | :? IDictionary as parts ->
            Seq.cast<objnull> parts.Values
            |> Seq.map TorchBatch.First
            |> Seq.tryFind _.IsSome
            |> Option.defaultValue ValueNone
        | :? string -> ValueNone
        | :? IEnumerable as parts ->
            Seq.cast<objnull> parts |> Seq.map TorchBatch.First |> Seq.tryFind _.IsSome |> Option.defaultValue ValueNone
        | _ -> ValueNone

    /// The number of samples: the length of the leading axis of the first tensor in a batch, which is a tensor, a
    /// tuple, a list or a dictionary with tensors. Raises DataException where there is none.
    static member size(batch: 'B) : int =
        match TorchBatch.First(box batch) with
        | ValueSome t -> int t.shape[0]
        | ValueNone ->
            Fail.data "torch: a batch has no tensor with an axis of samples; give a function for the size of a batch"
