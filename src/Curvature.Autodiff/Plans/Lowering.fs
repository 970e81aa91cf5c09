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

        /// Asks that a variable be computed into a view. False where another view was asked for before, and for inputs.
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

    /// Decides which variables are written straight into an output, or into their part of a joined array.
    type private Placement(program: Program, places: Places) =
        let definitions = Dictionary<int, Equation>()
        let copies = List<struct (Atom * View)>()
        let joined = Dictionary<int, List<struct (Atom * View)>>()
        // A stack of what is still to be placed, in place of recursion: joins of joins may be nested deeply.
        let waiting = Stack<struct (List<struct (Atom * View)> * Atom * View)>()

        do
            for equation in program.Equations do
                for id in equation.Results do
                    definitions[id] <- equation

        let join (equation: Equation) (view: View) =
            match equation.Primitive with
            | :? Structure.Concat as concat ->
                let shapes = equation.Operands |> Array.map (fun atom -> (program.Signature atom).Shape)
                let parts = concat.Places(shapes, view)
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
                    waiting.Push(struct (copies, equation.Operands[0], View.permute permute.Inverse view))
                | primitive ->
                    match primitive.Evaluation with
                    | Reinterpret _ -> refuse ()
                    | _ when not (places.Want(id, view)) -> refuse ()
                    | _ -> join equation view

        let placeWaiting () =
            while waiting.Count > 0 do
                place (waiting.Pop())

        /// The outputs that still have to be copied.
        member _.Copies = copies

        /// For each joined array the parts that still have to be copied into it.
        member _.Joined = joined

        member _.PlaceOutput(atom: Atom, view: View) =
            waiting.Push(struct (copies, atom, view))
            placeWaiting ()

        /// A joined array in the middle of the program collects its parts in place too.
        member _.PlaceJoin(equation: Equation, emitter: PlanEmitter) =
            let id = equation.Results[0]

            if equation.Primitive :? Structure.Concat && not (joined.ContainsKey id) then
                let view = emitter.Temporary program.Variables[id]
                places.Want(id, view) |> ignore
                join equation view
                placeWaiting ()

    /// A register of a tape. Numbers count within each kind until all inputs and constants are known.
    [<Struct>]
    type private Register =
        | OfInput of input: int
        | OfConstant of constant: int
        | OfResult of variable: int

    /// Collects the inputs and constants of a tape, each once.
    type private TapeInputs(places: Places) =
        let inputs = List<View>()
        let inputNumbers = Dictionary<struct (int * int64 * string), int>()
        let constants = List<float>()
        // By their bits, since 0 and −0 are equal numbers with different reciprocals.
        let constantNumbers = Dictionary<int64, int>()

        let numberIn (numbers: Dictionary<'Key, int>) key (items: List<'Item>) item =
            if numbers.TryAdd(key, items.Count) then items.Add item
            numbers[key]

        member _.Views = inputs
        member _.Constants = constants

        member _.Register atom =
            match atom with
            | Constant t when t.Storage.Uniform.IsSome ->
                let value = t.Storage.Uniform.Value
                OfConstant(numberIn constantNumbers (System.BitConverter.DoubleToInt64Bits value) constants value)
            | _ ->
                let view = places.Read atom
                OfInput(numberIn inputNumbers (struct (view.Slot, view.Offset, Shape.show view.Strides)) inputs view)

    /// The instructions of a tape, and the register of each result.
    let private tapeCode (inputs: TapeInputs) (members: Equation[]) =
        let inside = HashSet<int>(members |> Seq.map (fun equation -> equation.Results[0]))

        let operands =
            members
            |> Array.map (fun equation ->
                equation.Operands
                |> Array.map (fun atom ->
                    match atom with
                    | Variable id when inside.Contains id -> OfResult id
                    | _ -> inputs.Register atom))

        // In a tape's registers inputs come first, then constants, then results.
        let results = Dictionary<int, int>()

        let number register =
            match register with
            | OfInput input -> input
            | OfConstant constant -> inputs.Views.Count + constant
            | OfResult variable -> results[variable]

        // What several members compute alike, since each had it made for itself, is computed once.
        let known = Dictionary<Instruction, int>()
        let code = List<Instruction>()

        let add (equation: Equation) operands =
            let registers = operands |> Array.map number
            let at i = if i < registers.Length then registers[i] else 0
            let instruction = Instruction((equation.Primitive :?> Elementwise).Op, at 0, at 1, at 2)

            if known.TryAdd(instruction, inputs.Views.Count + inputs.Constants.Count + code.Count) then
                code.Add instruction

            results[equation.Results[0]] <- known[instruction]

        Array.iter2 add members operands
        code.ToArray(), results

    /// One tape for neighbouring elementwise equations.
    let private emitTape (program: Program) (emitter: PlanEmitter) (places: Places) members (sum: Equation voption) =
        let inputs = TapeInputs places
        let code, results = tapeCode inputs members
        let root = (Array.last members).Results[0]
        let signature = program.Variables[root]

        let target, summed =
            match sum with
            | ValueNone -> places.Destination root, 0
            | ValueSome equation -> places.Destination equation.Results[0], (equation.Primitive :?> Sum).Axes.Length

        let tape =
            TapeDescription(
                signature.DType,
                signature.Shape,
                inputs.Views |> Seq.map _.Operand |> Seq.toArray,
                inputs.Constants.ToArray(),
                code,
                [| TapeOutput(results[root], target.Operand, summed) |]
            )

        emitter.Emit(emitter.Device.Map tape, List.ofSeq inputs.Views, [ target ])

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

    let private emitSingle
        (program: Program)
        (emitter: PlanEmitter)
        (places: Places)
        (placement: Placement)
        (equation: Equation)
        =
        match equation.Primitive, equation.Primitive.Evaluation with
        | :? Structure.Concat, _ ->
            let id = equation.Results[0]
            places.Destination id |> ignore

            for struct (atom, part) in placement.Joined[id] do
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
        | primitive, Composed _ -> invalidOp $"{primitive} has no kernels of its own"

    /// The kernels of a program whose first inputs are bound.
    let lower (program: Program) (boundInputs: int) : Schedule =
        let emitter = PlanEmitter program.Device
        let places = Places(program, emitter)

        for i in 0 .. program.Inputs - 1 do
            places[i] <- ValueSome(emitter.Add(Input i, program.Variables[i]))

        let outputs = program.Outputs |> Array.mapi (fun i atom -> emitter.Add(Output i, program.Signature atom))

        let placement = Placement(program, places)
        Array.iter2 (fun atom view -> placement.PlaceOutput(atom, view)) program.Outputs outputs

        for equation in Array.rev program.Equations do
            placement.PlaceJoin(equation, emitter)

        for step in Fusion.steps program do
            emitter.IsRepeated <- step.Equations |> Seq.exists (fun equation -> not equation.Segment.IsNone)

            match step with
            | Fused(members, sum) -> emitTape program emitter places members sum
            | Products(terms, result) -> emitProducts emitter places terms result
            | Single equation -> emitSingle program emitter places placement equation

        emitter.IsRepeated <- false

        for struct (atom, view) in placement.Copies do
            emitter.CopyTo(places.Read atom, view)

        emitter.Schedule boundInputs
