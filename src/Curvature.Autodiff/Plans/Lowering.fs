namespace Curvature

open System.Collections.Generic
open Curvature.Kernels

/// Turns the steps of a program into kernels on slots.
module internal Lowering =

    /// Where each variable of a program lies.
    type private Places(program: Program, emitter: PlanEmitter) =
        let views: View voption[] = Array.create program.Variables.Length ValueNone
        let destinations: View voption[] = Array.create program.Variables.Length ValueNone

        member _.Item
            with get id = views[id]
            and set id view = views[id] <- view

        member _.Read atom =
            match atom with
            | Variable id -> views[id].Value
            | Constant t -> emitter.Constant t.Storage

        /// Asks for a variable to be computed right where it is wanted; the first to ask gets it.
        member _.Want(id: int, view: View) =
            if destinations[id].IsSome || id < program.Inputs then
                false
            else
                destinations[id] <- ValueSome view
                true

        /// Where a variable is to be written.
        member _.Destination id =
            let view =
                match destinations[id] with
                | ValueSome view -> view
                | ValueNone -> emitter.Temporary program.Variables[id]

            views[id] <- ValueSome view
            view

    /// Decides which variables are written straight into an output, or into their part of a joined array. Returns the
    /// outputs and joined parts that still have to be copied.
    let private placeOutputs (program: Program) (emitter: PlanEmitter) (places: Places) (outputs: View[]) =
        let definitions = Dictionary<int, Equation>()

        for equation in program.Equations do
            for id in equation.Results do
                definitions[id] <- equation

        let copies = List<struct (Atom * View)>()
        let joined = Dictionary<int, List<struct (Atom * View)>>()
        // What is still to be placed, the next on top: arrays that are joined of arrays that are joined may be nested
        // deeply.
        let waiting = Stack<struct (List<struct (Atom * View)> * Atom * View)>()

        let join (equation: Equation) (view: View) =
            match equation.Primitive with
            | :? Structure.Concat as concat ->
                let parts =
                    concat.Places(equation.Operands |> Array.map (fun atom -> (program.Signature atom).Shape), view)

                let left = List()
                joined[equation.Results[0]] <- left

                for i in parts.Length - 1 .. -1 .. 0 do
                    waiting.Push(struct (left, equation.Operands[i], parts[i]))
            | _ -> ()

        let place (struct (copies: List<struct (Atom * View)>, atom, view: View)) =
            let refuse () = copies.Add(struct (atom, view))

            match atom with
            | Constant _ -> refuse ()
            | Variable id when id < program.Inputs -> refuse ()
            | Variable id ->
                let equation = definitions[id]

                match equation.Primitive with
                | :? Structure.Reshape ->
                    match View.reshape (program.Signature equation.Operands[0]).Shape view with
                    | ValueSome source -> waiting.Push(struct (copies, equation.Operands[0], source))
                    | ValueNone -> refuse ()
                | :? Structure.Permute as permute ->
                    let inverse = Array.zeroCreate permute.Order.Length
                    permute.Order |> Array.iteri (fun i axis -> inverse[axis] <- i)
                    waiting.Push(struct (copies, equation.Operands[0], View.permute inverse view))
                | primitive ->
                    match primitive.Evaluation with
                    | Reinterpret _ -> refuse ()
                    | _ when not (places.Want(id, view)) -> refuse ()
                    | _ -> join equation view

        let placeWaiting () =
            while waiting.Count > 0 do
                place (waiting.Pop())

        for i in 0 .. outputs.Length - 1 do
            waiting.Push(struct (copies, program.Outputs[i], outputs[i]))
            placeWaiting ()

        // Joined arrays in the middle of the program collect their parts in place too.
        for i in program.Equations.Length - 1 .. -1 .. 0 do
            let equation = program.Equations[i]

            match equation.Primitive with
            | :? Structure.Concat when not (joined.ContainsKey equation.Results[0]) ->
                let id = equation.Results[0]
                let view = emitter.Temporary program.Variables[id]
                places.Want(id, view) |> ignore
                join equation view
                placeWaiting ()
            | _ -> ()

        copies, joined

    /// One tape for neighbouring elementwise equations.
    let private emitTape
        (program: Program)
        (emitter: PlanEmitter)
        (places: Places)
        (members: Equation[])
        (sum: Equation voption)
        =
        let inputs = List<View>()
        let inputNumbers = Dictionary<struct (int * int64 * string), int>()
        let constants = List<float>()
        // By their bits, since 0 and −0 are equal numbers with different reciprocals.
        let constantNumbers = Dictionary<int64, int>()
        let results = Dictionary<int, int>()
        // Registers are numbered once all inputs and constants are known: inputs, constants, instructions.
        let inside = HashSet<int>(members |> Seq.map (fun equation -> equation.Results[0]))

        let leaf atom =
            match atom with
            | Constant t when t.Storage.Uniform.IsSome ->
                let value = t.Storage.Uniform.Value
                let bits = System.BitConverter.DoubleToInt64Bits value

                match constantNumbers.TryGetValue bits with
                | true, number -> struct (1, number)
                | _ ->
                    constants.Add value
                    constantNumbers[bits] <- constants.Count - 1
                    struct (1, constants.Count - 1)
            | _ ->
                let view = places.Read atom
                let key = struct (view.Slot, view.Offset, Shape.show view.Strides)

                match inputNumbers.TryGetValue key with
                | true, number -> struct (0, number)
                | _ ->
                    inputs.Add view
                    inputNumbers[key] <- inputs.Count - 1
                    struct (0, inputs.Count - 1)

        let operands =
            members
            |> Array.map (fun equation ->
                equation.Operands
                |> Array.map (fun atom ->
                    match atom with
                    | Variable id when inside.Contains id -> struct (2, id)
                    | _ -> leaf atom))

        let register (struct (kind, number)) =
            match kind with
            | 0 -> number
            | 1 -> inputs.Count + number
            | _ -> results[number]

        let code =
            Array.map2
                (fun (equation: Equation) operands ->
                    let registers = operands |> Array.map register
                    let at i = if i < registers.Length then registers[i] else 0
                    results[equation.Results[0]] <- inputs.Count + constants.Count + results.Count
                    Instruction((equation.Primitive :?> Elementwise).Op, at 0, at 1, at 2))
                members
                operands

        let root = members[members.Length - 1].Results[0]

        let target, summed =
            match sum with
            | ValueNone -> places.Destination root, 0
            | ValueSome equation -> places.Destination equation.Results[0], (equation.Primitive :?> Sum).Axes.Length

        let signature = program.Variables[root]

        let tape =
            TapeDescription(
                signature.DType,
                signature.Shape,
                inputs |> Seq.map _.Operand |> Seq.toArray,
                constants.ToArray(),
                code,
                [| TapeOutput(results[root], target.Operand, summed) |]
            )

        emitter.Emit(emitter.Device.Map tape, List.ofSeq inputs, [ target ])

    /// One contraction into an array, or added to it.
    let private emitContraction (emitter: PlanEmitter) (einsum: Einsum) (a: View) (b: View) (target: View) add =
        let previous = if add then [ target ] else []
        emitter.Contract(einsum.Describe(a, b, target, add), a :: b :: previous, target)

    /// A sum of products into one array.
    let private emitProducts (emitter: PlanEmitter) (places: Places) (terms: Equation[]) result =
        let isContraction (term: Equation) = term.Primitive :? Einsum

        let sum (target: View) =
            terms
            |> Array.iteri (fun i term ->
                let sources = term.Operands |> Array.map places.Read

                match term.Primitive, term.Primitive.Evaluation with
                | (:? Einsum as einsum), _ -> emitContraction emitter einsum sources[0] sources[1] target (i > 0)
                | _, Accumulate compute -> compute emitter sources target (i > 0)
                | primitive, _ -> invalidOp $"{primitive} cannot be summed in place")

        // Contractions write any layout; what else there is writes rows.
        let target = places.Destination result

        if Array.forall isContraction terms then
            sum target
        else
            emitter.IntoRowMajor target sum

    let private emitSingle (program: Program) (emitter: PlanEmitter) (places: Places) joined (equation: Equation) =
        match equation.Primitive, equation.Primitive.Evaluation with
        | :? Structure.Concat, _ ->
            let id = equation.Results[0]
            places.Destination id |> ignore

            for struct (atom, part) in (joined: Dictionary<int, List<struct (Atom * View)>>)[id] do
                emitter.CopyTo(places.Read atom, part)
        | _, Reinterpret see ->
            let source = places.Read equation.Operands[0]

            let results =
                match see source with
                | ValueSome results -> results
                | ValueNone -> (see (emitter.RowMajor source)).Value

            Array.iter2 (fun id view -> places[id] <- ValueSome view) equation.Results results
        | _, Compute compute ->
            let sources = equation.Operands |> Array.map places.Read
            let targets = equation.Results |> Array.map places.Destination
            compute emitter sources targets
        | _, Accumulate _ -> emitProducts emitter places [| equation |] equation.Results[0]
        | _, Elementwise _ -> emitTape program emitter places [| equation |] ValueNone

    /// The kernels of a program whose first inputs are bound.
    let lower (program: Program) (boundInputs: int) : Schedule =
        let emitter = PlanEmitter program.Device
        let places = Places(program, emitter)

        for i in 0 .. program.Inputs - 1 do
            places[i] <- ValueSome(emitter.Add(Input i, program.Variables[i]))

        let outputs = program.Outputs |> Array.mapi (fun i atom -> emitter.Add(Output i, program.Signature atom))

        let copies, joined = placeOutputs program emitter places outputs

        for step in Fusion.steps program do
            match step with
            | Fused(members, sum) -> emitTape program emitter places members sum
            | Products(terms, result) -> emitProducts emitter places terms result
            | Single equation -> emitSingle program emitter places joined equation

        for struct (atom, view) in copies do
            emitter.CopyTo(places.Read atom, view)

        emitter.Schedule boundInputs
