namespace Curvature

open System.Collections.Generic
open Curvature.Kernels

/// Decides, from shapes alone, which residuals are kept. One that elementwise equations of the fast side take, and that
/// a few cheap elementwise functions make of others, is computed again in the tapes of those that take it. What is kept
/// is a smallest cut, by bytes, between what is known and what is needed (compare Chen et al. 2016). Every value keeps
/// its bits.
module internal Retention =

    /// The most functions that are applied again for one value.
    let private longest = 8

    /// Smaller values than so many bytes are kept.
    let least = 1L <<< 14

    let private opOf (equation: Equation) =
        match equation.Primitive with
        | :? Elementwise as elementwise -> ValueSome elementwise.Op
        | _ -> ValueNone

    let private isView (equation: Equation) =
        match equation.Primitive.Evaluation with
        | Reinterpret _ -> true
        | _ -> false

    let private isComparison op =
        match op with
        | OpCode.Greater
        | OpCode.GreaterOrEqual
        | OpCode.Equal -> true
        | _ -> false

    /// Functions that take no longer than reading an operand.
    let private isCheap op =
        match op with
        | OpCode.Add
        | OpCode.Subtract
        | OpCode.Multiply
        | OpCode.Negate
        | OpCode.Select
        | OpCode.Maximum
        | OpCode.Minimum
        | OpCode.Abs
        | OpCode.Sign -> true
        | op -> isComparison op

    /// The slow side: how each of its values is made.
    type private SlowSide(program: Program) =
        let makers = Dictionary<int, Equation>()
        // Where a mask is x > 0, and y = where(mask, x, 0) is made too, the mask is y > 0.
        let positiveParts = Dictionary<int, Atom>()

        let isZero atom =
            match atom with
            | Constant t -> t.Storage.Uniform = ValueSome 0.0
            | Variable _ -> false

        let isOp op (equation: Equation) = (opOf equation = ValueSome op)

        do
            for equation in program.Equations do
                for id in equation.Results do
                    makers[id] <- equation

                match equation.Operands with
                | [| Variable mask; Variable x; zero |] when isOp OpCode.Select equation && isZero zero ->
                    match makers.TryGetValue mask with
                    | true, maker when isOp OpCode.Greater maker && isZero maker.Operands[1] ->
                        match maker.Operands[0] with
                        | Variable compared when compared = x ->
                            positiveParts.TryAdd(mask, Variable equation.Results[0]) |> ignore
                        | _ -> ()
                    | _ -> ()
                | _ -> ()

        member _.Program = program

        member _.Maker id =
            match makers.TryGetValue id with
            | true, equation -> ValueSome equation
            | _ -> ValueNone

        /// What a value is made of when it is made again, where the result of relu is there for its mask.
        member _.Operands(equation: Equation, isKept: int -> bool) : Atom[] =
            match positiveParts.TryGetValue equation.Results[0] with
            | true, Variable y when isKept y -> [| Variable y; equation.Operands[1] |]
            | _ -> equation.Operands

        /// Whether an equation may be done again to the same bits. A product that one sum takes is rounded with it in
        /// one tape and not in another.
        member this.IsRepeatable(equation: Equation) =
            let isProduct atom =
                match atom with
                | Variable id -> this.Maker id |> ValueOption.exists (isOp OpCode.Multiply)
                | Constant _ -> false

            match opOf equation with
            | ValueSome OpCode.Add -> equation.Segment.IsNone && not (Array.exists isProduct equation.Operands)
            | ValueSome op -> equation.Segment.IsNone && isCheap op
            | ValueNone -> false

        /// What a chain of views begins with.
        member this.Base(atom: Atom) : Atom =
            match atom with
            | Variable id ->
                match this.Maker id with
                | ValueSome equation when isView equation -> this.Base equation.Operands[0]
                | _ -> atom
            | Constant _ -> atom

    /// The residuals that have to be kept, since others than elementwise equations take them.
    let private fixedResiduals (least: int64) (slow: SlowSide) (residuals: int[]) (fast: Program) : HashSet<int> =
        let kept = HashSet<int>()
        let start = slow.Program.Inputs

        let keep atom =
            match atom with
            | Variable id when id >= start && id < start + residuals.Length -> kept.Add residuals[id - start] |> ignore
            | _ -> ()

        for equation in fast.Equations do
            match opOf equation with
            | ValueNone -> Array.iter keep equation.Operands
            | ValueSome OpCode.Add ->
                for operand in equation.Operands do
                    match operand with
                    | Variable id when id >= start && id < start + residuals.Length ->
                        match slow.Maker residuals[id - start] with
                        | ValueSome maker when opOf maker = ValueSome OpCode.Multiply -> keep operand
                        | _ -> ()
                    | _ -> ()
            | ValueSome _ -> ()

        Array.iter keep fast.Outputs

        // A product that is not stored may be rounded together with the sum that takes it, and a sum may be taken in
        // another order, in the tape that makes what is summed: these stay stored, so that the slow side keeps its
        // bits.
        for equation in slow.Program.Equations do
            let isSum = equation.Primitive :? Sum

            if isSum || opOf equation = ValueSome OpCode.Add then
                for operand in equation.Operands do
                    match operand with
                    | Variable id ->
                        match slow.Maker id with
                        | ValueSome maker when isSum || opOf maker = ValueSome OpCode.Multiply -> kept.Add id |> ignore
                        | _ -> ()
                    | Constant _ -> ()

        kept.IntersectWith residuals

        for id in residuals do
            match slow.Maker id with
            | ValueSome maker when slow.IsRepeatable maker && slow.Program.Variables[id].Bytes >= least -> ()
            | _ -> kept.Add id |> ignore

        kept

    /// What of the slow side is kept beside that: as few bytes as suffice for the values that are needed.
    let private choose (slow: SlowSide) (needed: int[]) (isKept: int -> bool) : HashSet<int> voption =
        let program = slow.Program
        let isKnown id = id < program.Inputs || isKept id
        let nodes = Dictionary<int, int>()
        let order = List<int>()
        // Values that are not made again: those seen through views, and those that are compared, since a comparison of
        // numbers that are rounded in another way may come out otherwise.
        let leaves = HashSet<int>()
        let costs = Dictionary<int, int>()

        /// The values that another one is made of, where it is made again.
        let sources id : int[] voption =
            match slow.Maker id with
            | ValueSome equation when not (leaves.Contains id) && slow.IsRepeatable equation ->
                slow.Operands(equation, isKept)
                |> Array.choose (fun atom ->
                    match slow.Base atom with
                    | Variable source when not (isKnown source) -> Some source
                    | _ -> None)
                |> ValueSome
            | _ -> ValueNone

        let noteLeaves (equation: Equation) =
            let isCompared = opOf equation |> ValueOption.exists isComparison

            for atom in slow.Operands(equation, isKept) do
                match slow.Base atom, atom with
                | Variable source, Variable id when isCompared || source <> id -> leaves.Add source |> ignore
                | _ -> ()

        // Equations come in order, so that what a value is made of has its cost before.
        for equation in program.Equations do
            if slow.IsRepeatable equation then noteLeaves equation

        let costOf id =
            match costs.TryGetValue id with
            | true, cost -> cost
            | _ -> 0

        for equation in program.Equations do
            let id = equation.Results[0]

            match sources id with
            | ValueSome found ->
                let cost = 1 + Array.sumBy costOf found
                if cost > longest then leaves.Add id |> ignore else costs[id] <- cost
            | ValueNone -> ()

        let waiting = Stack<int>(needed)

        while waiting.Count > 0 do
            let id = waiting.Pop()

            if nodes.TryAdd(id, nodes.Count) then
                order.Add id
                sources id |> ValueOption.iter (Array.iter waiting.Push)

        let network = FlowNetwork(2 * order.Count + 2)
        let source, sink = 2 * order.Count, 2 * order.Count + 1
        let unlimited = FlowNetwork.Unlimited

        for id in order do
            let node = 2 * nodes[id]
            network.Link(node, node + 1, program.Variables[id].Bytes)

            match sources id with
            | ValueSome found ->
                for other in found do
                    network.Link(2 * nodes[other] + 1, node, unlimited)
            | ValueNone -> network.Link(source, node, unlimited)

        for id in needed do
            network.Link(2 * nodes[id] + 1, sink, unlimited)

        network.SinkSide(source, sink, 200 * (order.Count + 10))
        |> ValueOption.map (fun onSinkSide ->
            HashSet(order |> Seq.filter (fun id -> not onSinkSide[2 * nodes[id]] && onSinkSide[2 * nodes[id] + 1])))

    /// The fast side where some residuals are made again from others, which are its inputs after those of the slow
    /// side.
    let private rewrite (slow: SlowSide) (residuals: int[]) (kept: int[]) (fast: Program) : Program =
        let start = slow.Program.Inputs
        let places = Dictionary<int, int>()
        kept |> Array.iteri (fun i id -> places[id] <- start + i)
        let shift = kept.Length - residuals.Length
        let variables, equations = List<Signature>(), List<Equation>()
        variables.AddRange fast.Variables[.. start - 1]
        variables.AddRange(kept |> Seq.map (fun id -> slow.Program.Variables[id]))
        variables.AddRange fast.Variables[start + residuals.Length ..]

        let rec make (made: Dictionary<int, int>) atom : Atom =
            match atom with
            | Constant _ -> atom
            | Variable id when id < start -> atom
            | Variable id when places.ContainsKey id -> Variable places[id]
            | Variable id when made.ContainsKey id -> Variable made[id]
            | Variable id ->
                let equation = (slow.Maker id).Value
                let operands = slow.Operands(equation, places.ContainsKey) |> Array.map (make made)

                let results =
                    equation.Results
                    |> Array.map (fun result ->
                        variables.Add slow.Program.Variables[result]
                        made[result] <- variables.Count - 1
                        made[result])

                equations.Add { equation with Operands = operands; Results = results }

                Variable made[id]

        let rename made atom =
            match atom with
            | Variable id when id >= start + residuals.Length -> Variable(id + shift)
            | Variable id when id >= start -> make made (Variable residuals[id - start])
            | _ -> atom

        for equation in fast.Equations do
            // Each equation has its own, so that they become part of its tape.
            let operands = equation.Operands |> Array.map (rename (Dictionary()))

            equations.Add
                { equation with
                    Operands = operands
                    Results = equation.Results |> Array.map ((+) shift)
                }

        { fast with
            Inputs = fast.Inputs + shift
            Outputs = fast.Outputs |> Array.map (rename (Dictionary()))
            Variables = variables.ToArray()
            Equations = equations.ToArray()
        }

    /// The same programs with fewer bytes of residuals, of which those of fewer bytes than the least are kept.
    let reduce (least: int64) (parts: Partition) : Partition =
        let slow = SlowSide parts.Slow

        let residuals =
            parts.Slow.Outputs[parts.SlowOutputs ..]
            |> Array.map (fun atom ->
                match atom with
                | Variable id -> id
                | Constant _ -> invalidOp "a residual is computed")

        let isFixed = fixedResiduals least slow residuals parts.Fast
        let needed = residuals |> Array.filter (isFixed.Contains >> not)

        match if needed.Length = 0 then ValueNone else choose slow needed isFixed.Contains with
        | ValueNone -> parts
        | ValueSome chosen ->
            let kept = Array.append (residuals |> Array.filter isFixed.Contains) (Seq.toArray chosen)

            let outputs = Array.append parts.Slow.Outputs[.. parts.SlowOutputs - 1] (kept |> Array.map Variable)

            {
                Slow = { parts.Slow with Outputs = outputs }.WithoutUnused()
                SlowOutputs = parts.SlowOutputs
                Fast = rewrite slow residuals kept parts.Fast
            }
