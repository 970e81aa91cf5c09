namespace Curvature

open System.Collections.Generic
open Curvature.Kernels

/// Rewrites a program into one that computes the same with fewer operations. Equal equations are merged. Arithmetic
/// with ones and zeros is left out (x + 0 is x, also where x is −0). Permutations become part of contractions. Factors
/// that do not depend on fast inputs are multiplied first. The equations of checkpoints take the place of these, each
/// checkpoint a segment: what it computes is not merged with what is computed outside of it, and nothing that is kept
/// is made of it.
module internal Simplify =

    /// The program under construction.
    type private Builder(source: Program, fastInputs: bool[], opens: bool) =
        let variables = List<Signature>()
        let fast = List<bool>()
        let equations = List<Equation>()
        let definitions = Dictionary<int, struct (Equation * int)>()
        let known = Dictionary<Application<int>, int[]>()
        let constants = Dictionary<obj, int>()
        // Of segments that were opened before, numbers go on.
        let mutable segments = source.Equations |> Seq.fold (fun most e -> max most e.Segment.Number) 0

        do
            for i in 0 .. source.Inputs - 1 do
                variables.Add source.Variables[i]
                fast.Add fastInputs[i]

        member _.Variables = variables
        member _.Equations = equations

        /// Whether the equations of checkpoints take the place of these.
        member _.Opens = opens

        member _.Signature atom =
            match atom with
            | Variable id -> variables[id]
            | Constant t -> t.Signature

        member _.IsFast atom =
            match atom with
            | Variable id -> fast[id]
            | Constant _ -> false

        /// The segment of the equations that are added.
        member val Segment = Segment.None with get, set

        /// A new segment within the present one.
        member this.Inner() : Segment =
            segments <- segments + 1
            let outermost = if this.Segment.IsNone then segments else this.Segment.Outermost
            { Number = segments; Outermost = outermost }

        /// The primitive and operands that define a single-result variable, where these are of use in this segment.
        member this.Definition atom =
            match atom with
            | Variable id ->
                match definitions.TryGetValue id with
                | true, struct (equation, 0) when
                    equation.Results.Length = 1
                    && (equation.Segment.IsNone || equation.Segment.Number = this.Segment.Number)
                    ->
                    ValueSome equation
                | _ -> ValueNone
            | Constant _ -> ValueNone

        member private _.Code atom =
            match atom with
            | Variable id -> 2 * id
            | Constant t ->
                let identity = t.Content.Identity
                constants.TryAdd(identity, constants.Count) |> ignore
                2 * constants[identity] + 1

        /// Adds an equation, or finds the one that already computes the same.
        member this.Emit(primitive: Primitive, operands: Atom[]) : Atom[] =
            // Codes of operands are at least 0.
            let codes =
                [| yield! operands |> Array.map this.Code; if not this.Segment.IsNone then -this.Segment.Number |]

            let key = { Primitive = primitive; Operands = codes }

            match known.TryGetValue key with
            | true, results -> results |> Array.map Variable
            | _ ->
                let isFast = operands |> Array.exists this.IsFast

                let results =
                    primitive.Infer(operands |> Array.map this.Signature)
                    |> Array.map (fun signature ->
                        variables.Add signature
                        fast.Add isFast
                        variables.Count - 1)

                let equation =
                    {
                        Primitive = primitive
                        Operands = operands
                        Results = results
                        Segment = this.Segment
                    }

                equations.Add equation
                results |> Array.iteri (fun k id -> definitions[id] <- struct (equation, k))
                known[key] <- results
                results |> Array.map Variable

    [<return: Struct>]
    let private (|Uniform|_|) atom =
        match atom with
        | Constant t -> t.Storage.Uniform
        | Variable _ -> ValueNone

    /// Coefficients that are the same everywhere. `Fill` rounds to the element type. A product of two Float32 has at
    /// most 48 bits, which Float64 holds, so that it is rounded once, as by a kernel.
    let private fold op (operands: Atom[]) =
        match op, operands with
        | OpCode.Multiply, [| Constant t & Uniform a; Uniform b |] -> Some(t.FillLike(a * b))
        | OpCode.Negate, [| Constant t & Uniform a |] -> Some(t.FillLike -a)
        | _ -> None

    let private identity (order: int[]) = order |> Array.mapi (fun i axis -> i = axis) |> Array.forall id

    /// Applies one primitive in simplified form.
    let rec private apply (builder: Builder) (primitive: Primitive) (operands: Atom[]) : Atom[] =
        let inner k = builder.Definition operands[k]

        match primitive with
        | :? Elementwise as elementwise -> [| arithmetic builder elementwise operands |]
        | :? Structure.Reshape as reshape when builder.Signature(operands[0]).Shape = reshape.Shape -> operands
        | :? Structure.Reshape ->
            match inner 0 with
            | ValueSome { Primitive = :? Structure.Reshape; Operands = sources } -> apply builder primitive sources
            | _ -> builder.Emit(primitive, operands)
        | :? Structure.Permute as permute when identity permute.Order -> operands
        | :? Structure.Permute as permute ->
            match inner 0 with
            | ValueSome { Primitive = :? Structure.Permute as first; Operands = sources } ->
                apply builder (Structure.Permute(permute.Order |> Array.map (fun axis -> first.Order[axis]))) sources
            | _ -> builder.Emit(primitive, operands)
        | :? Broadcast as broadcast when
            broadcast.Shape = builder.Signature(operands[0]).Shape && identity broadcast.Dims
            ->
            operands
        | :? Broadcast as broadcast ->
            match inner 0 with
            | ValueSome { Primitive = :? Broadcast as first; Operands = sources } ->
                let dims = first.Dims |> Array.map (fun axis -> broadcast.Dims[axis])
                apply builder (Broadcast(broadcast.Shape, dims)) sources
            | _ -> builder.Emit(primitive, operands)
        | :? Einsum as einsum ->
            // A permuted operand is the same operand with its labels in another order.
            let relabel labels k =
                match inner k with
                | ValueSome { Primitive = :? Structure.Permute as permute; Operands = sources } ->
                    struct (permute.Inverse |> Array.map (Array.get labels), sources[0], true)
                | _ -> struct (labels, operands[k], false)

            let struct (left, a, leftMoved) = relabel einsum.Left 0
            let struct (right, b, rightMoved) = relabel einsum.Right 1

            if leftMoved || rightMoved then
                apply builder (Einsum(left, right, einsum.Result)) [| a; b |]
            else
                builder.Emit(primitive, operands)
        | _ -> builder.Emit(primitive, operands)

    and private arithmetic (builder: Builder) (elementwise: Elementwise) (operands: Atom[]) : Atom =
        let emit op atoms = (apply builder (Elementwise.Of op) atoms)[0]

        match elementwise.Op, operands with
        | op, _ when (fold op operands).IsSome -> Constant (fold op operands).Value
        | OpCode.Add, [| x; Uniform 0.0 |]
        | OpCode.Add, [| Uniform 0.0; x |]
        | OpCode.Subtract, [| x; Uniform 0.0 |]
        | OpCode.Multiply, [| x; Uniform 1.0 |]
        | OpCode.Multiply, [| Uniform 1.0; x |]
        | OpCode.Divide, [| x; Uniform 1.0 |] -> x
        | OpCode.Multiply, [| x; Uniform -1.0 |]
        | OpCode.Multiply, [| Uniform -1.0; x |] -> emit OpCode.Negate [| x |]
        // The fast factor goes first, so that coefficients come together.
        | OpCode.Multiply, [| a; b |] when builder.IsFast b && not (builder.IsFast a) -> emit OpCode.Multiply [| b; a |]
        | OpCode.Multiply, [| a; b |] when builder.IsFast a && not (builder.IsFast b) ->
            match builder.Definition a with
            | ValueSome { Primitive = :? Elementwise as first; Operands = [| x; c |] } when
                first.Op = OpCode.Multiply && builder.IsFast x && not (builder.IsFast c)
                ->
                emit OpCode.Multiply [| x; emit OpCode.Multiply [| c; b |] |]
            | ValueSome { Primitive = :? Elementwise as first; Operands = [| x |] } when first.Op = OpCode.Negate ->
                emit OpCode.Multiply [| x; emit OpCode.Negate [| b |] |]
            | _ -> (builder.Emit(elementwise, operands))[0]
        | OpCode.Negate, [| a |] ->
            match builder.Definition a with
            | ValueSome { Primitive = :? Elementwise as first; Operands = [| x |] } when first.Op = OpCode.Negate -> x
            | _ -> (builder.Emit(elementwise, operands))[0]
        | _ -> (builder.Emit(elementwise, operands))[0]

    /// A contraction whose only use is to have its axes permuted writes them in that order itself.
    let private permuteResults (program: Program) : Program =
        let uses = Array.zeroCreate program.Variables.Length

        let count atom =
            match atom with
            | Variable id -> uses[id] <- uses[id] + 1
            | Constant _ -> ()

        for equation in program.Equations do
            equation.Operands |> Array.iter count

        program.Outputs |> Array.iter count
        let absorbed = Dictionary<int, Equation>()

        for equation in program.Equations do
            match equation.Primitive with
            | :? Einsum when uses[equation.Results[0]] = 1 -> absorbed[equation.Results[0]] <- equation
            | _ -> ()

        let rewritten =
            program.Equations
            |> Array.map (fun equation ->
                match equation.Primitive, equation.Operands with
                | (:? Structure.Permute as permute), [| Variable id |] when
                    absorbed.ContainsKey id && absorbed[id].Segment = equation.Segment
                    ->
                    let contraction = absorbed[id]
                    let einsum = contraction.Primitive :?> Einsum
                    let result = permute.Order |> Array.map (fun axis -> einsum.Result[axis])

                    {
                        Primitive = Einsum(einsum.Left, einsum.Right, result)
                        Operands = contraction.Operands
                        Results = equation.Results
                        Segment = equation.Segment
                    }
                | _ -> equation)

        { program with Equations = rewritten }

    /// Adds the equations of a program that takes atoms, and returns what its outputs are.
    let rec private add (builder: Builder) (program: Program) (inputs: Atom[]) : Atom[] =
        let atoms: Atom[] = Array.init program.Variables.Length Variable
        Array.blit inputs 0 atoms 0 inputs.Length
        let around = builder.Segment

        let read atom =
            match atom with
            | Variable id -> atoms[id]
            | Constant _ -> atom

        for equation in program.Equations do
            let operands = equation.Operands |> Array.map read

            let results =
                match equation.Primitive with
                | :? Recomputation as checkpoint when builder.Opens ->
                    builder.Segment <- builder.Inner()
                    add builder checkpoint.Program operands
                | primitive ->
                    if not equation.Segment.IsNone then builder.Segment <- equation.Segment
                    apply builder primitive operands

            builder.Segment <- around
            Array.iter2 (fun id atom -> atoms[id] <- atom) equation.Results results

        program.Outputs |> Array.map read

    let private runWith opens (fastInputs: bool[]) (program: Program) : Program =
        let builder = Builder(program, fastInputs, opens)
        let outputs = add builder program (Array.init program.Inputs Variable)

        let simplified =
            { program with
                Variables = builder.Variables.ToArray()
                Equations = builder.Equations.ToArray()
                Outputs = outputs
            }

        (permuteResults (simplified.WithoutUnused())).WithoutUnused()

    /// The simplified program, for a plan. Inputs are slow (the point) or fast (the vectors that are applied to it one
    /// after the other).
    let run (fastInputs: bool[]) (program: Program) : Program = runWith true fastInputs program

    /// The simplified program, which is linear where it was: checkpoints, of which a part may not be, stay closed.
    let linear (program: Program) : Program = runWith false (Array.create program.Inputs true) program
