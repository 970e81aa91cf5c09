namespace Curvature

open System.Collections.Generic

/// A value of a recording.
[<Sealed>]
type internal RecordedTracer(owner: Interpreter, id: int, primal: Tensor) =
    inherit Tracer(primal.Signature)
    member _.Id = id
    member _.Primal = primal
    override _.Owner = owner
    override _.Device = primal.Device
    override _.Storage = primal.Storage
    override _.Describe() = $"tensor on a tape: {primal}"

/// One application of a primitive, with its values.
[<NoEquality; NoComparison>]
type internal RecordedPrimitive =
    {
        Primitive: Primitive
        Primals: Tensor[]
        /// For each operand its number in the recording, or −1 for a constant.
        Operands: int[]
        Values: Tensor[]
        Results: int[]
    }

/// Runs primitives and writes them down with their values.
[<Sealed>]
type internal RecordingInterpreter(depth: int) =
    inherit Interpreter(depth)
    let entries = List<RecordedPrimitive>()
    let mutable count = 0

    member _.Entries = entries
    member _.Count = count

    member this.Trace(primal: Tensor) : Tensor =
        count <- count + 1
        Tensor(RecordedTracer(this, count - 1, primal))

    member this.Split(t: Tensor) : struct (int * Tensor) =
        match t.Content with
        | :? RecordedTracer as tracer when obj.ReferenceEquals(tracer.Owner, this) -> tracer.Id, tracer.Primal
        | _ -> -1, t

    override this.Process(primitive, operands) =
        let parts = operands |> Array.map this.Split
        let primals = parts |> Array.map (fun struct (_, primal) -> primal)
        let values = Interpreter.Bind(primitive, primals)
        let results = values |> Array.map this.Trace

        entries.Add
            {
                Primitive = primitive
                Primals = primals
                Operands = parts |> Array.map (fun struct (id, _) -> id)
                Values = values
                Results = results |> Array.map (fun result -> (result.Content :?> RecordedTracer).Id)
            }

        results

/// vᵀHv without the product Hv: with the adjoints ȳ of the intermediate values of f computed once, vᵀHv = Σ over
/// nonlinear operations ⟨ȳ, D²op[x₁, x₁]⟩, where x₁ is the forward tangent along v. For each v that takes one forward
/// pass and no backward pass. (Adjoint-weighted Taylor mode; compare Dangel et al. 2025, "Collapsing Taylor mode".)
module internal QuadraticForm =

    /// The adjoint of every recorded value that some second-order term is weighted with,
    /// given those of some values. The first values are the inputs.
    let private adjoints (recording: RecordingInterpreter) (inputs: int) (seeds: struct (int * Tensor) seq) =
        let adjoints: Tensor voption[] = Array.create recording.Count ValueNone

        for struct (id, seed) in seeds do
            adjoints[id] <- Tangent.add adjoints[id] (ValueSome seed)

        for i in recording.Entries.Count - 1 .. -1 .. 0 do
            let entry = recording.Entries[i]
            let cotangents = entry.Results |> Array.map (fun id -> adjoints[id])

            if cotangents |> Array.exists _.IsSome then
                // Inputs need no adjoint, and indices have none.
                let wanted =
                    Array.map2
                        (fun id (primal: Tensor) -> id >= inputs && primal.DType <> DType.Int32)
                        entry.Operands
                        entry.Primals

                if Array.exists id wanted then
                    Reverse.pullback entry.Primitive entry.Primals entry.Values cotangents wanted
                    |> Array.iteri (fun k cotangent ->
                        if wanted[k] then
                            let id = entry.Operands[k]
                            adjoints[id] <- Tangent.add adjoints[id] cotangent)

        adjoints

    /// vᵀHv from the adjoints: the sum over the recording of second-order terms along the forward tangents of the
    /// inputs.
    let private form
        (recording: RecordingInterpreter)
        (adjoints: Tensor voption[])
        (dtype: DType)
        (directions: Tensor voption[])
        : Tensor voption =
        // The terms of a function that converts on its way have different element types.
        let toValueType (term: Tensor) = if term.DType = dtype then term else Tensor.Of(Structure.Convert dtype, term)

        let tangents: Tensor voption[] = Array.create recording.Count ValueNone
        Array.blit directions 0 tangents 0 directions.Length
        let mutable sum = ValueNone

        for entry in recording.Entries do
            let along = entry.Operands |> Array.map (fun id -> if id < 0 then ValueNone else tangents[id])

            if along |> Array.exists _.IsSome then
                let cotangents = entry.Results |> Array.map (fun id -> adjoints[id])

                if cotangents |> Array.exists _.IsSome then
                    sum <-
                        entry.Primitive.QuadraticForm(cotangents, entry.Primals, entry.Values, along)
                        |> Tangent.map toValueType
                        |> Tangent.add sum

                entry.Primitive.Jvp(entry.Primals, entry.Values, along)
                |> Array.iteri (fun k tangent -> tangents[entry.Results[k]] <- tangent)

        sum

    /// Σ ⟨cotangent, D²f[t, t]⟩ over the results of f that have a cotangent, in the element type of the first one.
    /// Nothing where f is linear along the tangents.
    let weighted
        (f: Tensor[] -> Tensor[])
        (points: Tensor[])
        (cotangents: Tensor voption[])
        (tangents: Tensor voption[])
        : Tensor voption =
        let recording = RecordingInterpreter(Interpreter.CurrentDepth + 1)
        let results = recording.Run(fun () -> points |> Array.map recording.Trace |> f)

        let seeds =
            Array.zip results cotangents
            |> Array.choose (fun (result, cotangent) ->
                match recording.Split result, cotangent with
                | struct (id, _), ValueSome cotangent when id >= 0 -> Some(struct (id, cotangent))
                | _ -> None)

        if seeds.Length = 0 then
            ValueNone
        else
            let struct (_, first) = seeds[0]
            form recording (adjoints recording points.Length seeds) first.DType tangents

    /// The value of a scalar function at x, and v ↦ vᵀHv there.
    let at (f: Tensor -> Tensor) (x: Tensor) : Tensor * (Tensor -> Tensor) =
        let recording = RecordingInterpreter(Interpreter.CurrentDepth + 1)
        let result = recording.Run(fun () -> f (recording.Trace x))
        let struct (output, value) = recording.Split result

        if value.Rank <> 0 then
            Fail.shape
                $"a quadratic form needs a function with a scalar value, and this one returns shape {value.ShapeText}"

        if value.DType = DType.Int32 then
            Fail.dtype "a quadratic form needs a function with a Float32 or Float64 value, and this one returns Int32"

        if output < 0 then
            value, fun _ -> value.FillLike 0.0
        else
            let adjoints = adjoints recording 1 [ struct (output, value.FillLike 1.0) ]
            value, fun v -> form recording adjoints value.DType [| ValueSome v |] |> Tangent.orZeros value
