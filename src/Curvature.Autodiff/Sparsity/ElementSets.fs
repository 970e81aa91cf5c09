namespace Curvature

open System.Collections.Generic
open Curvature.FSharp
open Curvature.Kernels

/// What each element of a variable depends on: the number of an index set, as an Int32 tensor in the shape of the
/// variable. Primitives that move elements move these numbers too, and 0, which padding puts between them, is the empty
/// set.
[<Sealed>]
type internal ElementSets(sets: IndexSets, device: Device) =

    let unions = Dictionary<struct (Storage * Storage), Tensor>()

    let full shape (set: int) : Tensor =
        Tensor.OfStorage(Storage.Full(device, { Shape = shape; DType = DType.Int32 }, float set))

    let ofNumbers (shape: int[]) (numbers: int[]) : Tensor =
        Tensor.OfStorage(Storage.Of(device, shape, DType.Int32, numbers))

    let isEmpty (t: Tensor) = t.Size = 0 || t.Storage.Uniform = ValueSome 0.0

    member _.Sets = sets

    /// The same set everywhere.
    member _.Full(shape: int[], set: int) : Tensor = full shape set

    /// The sets of a list of numbers.
    member _.Of(shape: int[], numbers: int[]) : Tensor = ofNumbers shape numbers

    /// Element i depends on index i.
    member _.Inputs(shape: int[]) : Tensor = ofNumbers shape (Array.init (Shape.size shape) (fun i -> i + 1))

    /// Whether no element depends on anything, as far as that is seen at once.
    member _.IsEmpty(t: Tensor) : bool = isEmpty t

    /// Element by element, the indices of either.
    member _.Union(a: Tensor, b: Tensor) : Tensor =
        if obj.ReferenceEquals(a.Storage, b.Storage) || isEmpty b then
            a
        elif isEmpty a then
            b
        else
            let key = struct (a.Storage, b.Storage)

            match unions.TryGetValue key with
            | true, union -> union
            | _ ->
                let union = Array.map2 (fun x y -> sets.Union(x, y)) (a.ToInt32Array()) (b.ToInt32Array())
                let result = ofNumbers a.Signature.Shape union
                unions[key] <- result
                result

    /// The sets where a condition of the position holds, and nothing elsewhere.
    member _.Where(keep: int -> bool, a: Tensor) : Tensor =
        if isEmpty a then
            a
        else
            a.ToInt32Array() |> Array.mapi (fun i set -> if keep i then set else 0) |> ofNumbers a.Signature.Shape

    /// The sets where a mark is 1, and nothing elsewhere.
    member this.Restrict(marks: Tensor voption, a: Tensor) : Tensor =
        match marks with
        | ValueNone -> a
        | ValueSome marks ->
            let marks = marks.ToInt32Array()
            this.Where((fun i -> marks[i] <> 0), a)

    /// The union over axes, which disappear.
    member _.Reduce(axes: int[], a: Tensor) : Tensor =
        let shape = a.Signature.Shape
        let kept = Shape.otherAxes axes shape.Length
        let rows = kept |> Array.map (Array.get shape)

        if isEmpty a || axes.Length = 0 then
            if axes.Length = 0 then a else full rows 0
        else
            let numbers = (TensorShapes.permute (List.ofArray (Array.append kept axes)) a).ToInt32Array()
            let count = Shape.size rows
            let length = numbers.Length / max 1 count
            ofNumbers rows (Array.init count (fun row -> sets.Union(Array.sub numbers (row * length) length)))

    /// Every element depends on all that any of these does.
    member this.All(shape: int[], operands: Tensor seq) : Tensor =
        operands
        |> Seq.map (fun t -> sets.Union(t.ToInt32Array()))
        |> Seq.toArray
        |> sets.Union
        |> fun set -> full shape set

    /// The union up to each element along an axis, or from each one on.
    member _.Cumulate(axis: int, isReversed: bool, a: Tensor) : Tensor =
        let shape = a.Signature.Shape
        let numbers = a.ToInt32Array()
        let inner = Shape.size shape[axis + 1 ..]
        let length = shape[axis]
        let step = if isReversed then -inner else inner

        for outer in 0 .. Shape.size shape[.. axis - 1] - 1 do
            for k in 0 .. inner - 1 do
                let mutable at = outer * length * inner + k + (if isReversed then (length - 1) * inner else 0)

                for _ in 2..length do
                    numbers[at + step] <- sets.Union(numbers[at], numbers[at + step])
                    at <- at + step

        ofNumbers shape numbers

    /// Sets of a shape from pairs of a result's position and a set that it depends on, which a function gives to a
    /// receiver. It is called twice: the pairs are counted before they are kept.
    member _.Gather(shape: int[], pairs: (int -> int -> unit) -> unit) : Tensor =
        let starts = Array.zeroCreate (Shape.size shape + 1)
        pairs (fun position set -> if set <> 0 then starts[position + 1] <- starts[position + 1] + 1)

        for i in 1 .. starts.Length - 1 do
            starts[i] <- Checked.(+) starts[i] starts[i - 1]

        let found = Array.zeroCreate starts[starts.Length - 1]
        let next = Array.copy starts

        pairs (fun position set ->
            if set <> 0 then
                found[next[position]] <- set
                next[position] <- next[position] + 1)

        Array.init (starts.Length - 1) (fun i -> sets.Union(Array.sub found starts[i] (starts[i + 1] - starts[i])))
        |> ofNumbers shape
